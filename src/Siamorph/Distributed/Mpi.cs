using System.Diagnostics;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Siamorph.Distributed;

/// <summary>
/// The ranks of an MPI launcher (mpirun, srun), through the launcher's own library, which is opened when it is needed: no
/// package, no build against one. Open MPI and MPICH are tested; MPI 5's common interface is not.
/// </summary>
internal sealed unsafe partial class Mpi : IProcessGroup, IDisposable
{
    private const int Chunk = 1 << 28; // counts are int, and some libraries count bytes in one as well
    private const int Now = 2, Global = 0x100; // RTLD_NOW, RTLD_GLOBAL

    private readonly MpiAbi _abi;
    private readonly delegate* unmanaged[Cdecl]<void*, void*, int, nint, nint, nint, int> _allreduce;
    private readonly delegate* unmanaged[Cdecl]<nint, int> _barrier;
    private readonly delegate* unmanaged[Cdecl]<nint, int, int> _abort;
    private readonly delegate* unmanaged[Cdecl]<int> _finalize;
    private readonly Timer _watchdog;
    private readonly TimeSpan _patience;
    private long _entered; // when this rank went into a collective; 0 outside of one

    private Mpi(MpiAbi abi, nint library, int localRank, TimeSpan patience, Action<string> tell)
    {
        LocalRank = localRank;
        nint Symbol(string name) => NativeLibrary.GetExport(library, name);
        (_abi, _patience) = (abi, patience);
        _allreduce = (delegate* unmanaged[Cdecl]<void*, void*, int, nint, nint, nint, int>)Symbol("MPI_Allreduce");
        _barrier = (delegate* unmanaged[Cdecl]<nint, int>)Symbol("MPI_Barrier");
        _abort = (delegate* unmanaged[Cdecl]<nint, int, int>)Symbol("MPI_Abort");
        _finalize = (delegate* unmanaged[Cdecl]<int>)Symbol("MPI_Finalize");
        int provided, rank, size;
        if (((delegate* unmanaged[Cdecl]<int*, byte***, int, int*, int>)Symbol("MPI_Init_thread"))(null, null, abi.Funneled,
            &provided) != 0)
            throw new SiamorphException($"{abi.Library}: MPI could not be started.");
        ((delegate* unmanaged[Cdecl]<nint, int*, int>)Symbol("MPI_Comm_rank"))(abi.World, &rank);
        ((delegate* unmanaged[Cdecl]<nint, int*, int>)Symbol("MPI_Comm_size"))(abi.World, &size);
        (Rank, Size) = (rank, size);
        _watchdog = new(_ => Watch(tell), null, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5));
    }

    public int Rank { get; }

    public int Size { get; }

    public int LocalRank { get; }

    /// <summary>Time that this rank has spent waiting and reducing.</summary>
    public TimeSpan InCollectives { get; private set; }

    /// <summary>Joins the other ranks.</summary>
    /// <param name="launched">What started this process, and as which.</param>
    /// <param name="patience">How long a rank may wait for the others before all are ended; a lost connection would wait for
    /// ever.</param>
    /// <param name="tell">Told why all are ended.</param>
    /// <exception cref="SiamorphException">No library of MPI is there, or it does not belong to the launcher.</exception>
    public static Mpi Join(LaunchedRank launched, TimeSpan patience, Action<string> tell)
    {
        var expected = launched.Size;
        if (!OperatingSystem.IsLinux())
            throw new SiamorphException("Several ranks work on Linux alone. Start the training without mpirun.");
        _ = setenv("UCX_ERROR_SIGNALS", "", 1); // UCX would take SIGSEGV, which .NET needs for itself
        if (MpiAbi.Open(launched.Launcher, name => dlopen(name, Now | Global), out var library) is not { } abi)
            throw new SiamorphException($"The launcher started {expected} processes, but no library of MPI was found. Install "
                + $"the one that belongs to the launcher (Open MPI or MPICH).");
        var group = new Mpi(abi, library, launched.LocalRank, patience, tell);
        if (group.Size == expected) return group;
        group.Dispose();
        throw new SiamorphException($"The launcher started {expected} processes, but {abi.Library} sees {group.Size}: it belongs "
            + $"to another launcher. Use the mpirun of the same MPI, or srun --mpi with its interface.");
    }

    public void Barrier()
    {
        using var _ = Enter();
        Check(_barrier(_abi.World));
    }

    public void Sum(Span<double> values) => Reduce(values, _abi.Sum);

    public void Max(Span<double> values) => Reduce(values, _abi.Max);

    public void Sum(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        var flat = tensor.dtype == ScalarType.Float32 && tensor.device.type == TorchSharp.DeviceType.CPU
            && tensor.is_contiguous() ? tensor : tensor.to(float32).cpu().contiguous();
        using (Enter())
        {
            fixed (byte* bytes = flat.bytes)
                for (long from = 0, count = flat.numel(); from < count; from += Chunk)
                    Check(_allreduce((void*)_abi.InPlace, (float*)bytes + from, (int)Math.Min(Chunk, count - from), _abi.Float,
                        _abi.Sum, _abi.World));
        }
        if (!ReferenceEquals(flat, tensor)) tensor.copy_(flat);
    }

    /// <summary>Ends all ranks at once.</summary>
    public void Abort(int code) => _ = _abort(_abi.World, code);

    /// <summary>Leaves; all ranks have to.</summary>
    public void Dispose()
    {
        _watchdog.Dispose();
        _ = _finalize();
    }

    private void Reduce(Span<double> values, nint operation)
    {
        if (values.IsEmpty) return;
        using var _ = Enter();
        fixed (double* p = values) Check(_allreduce((void*)_abi.InPlace, p, values.Length, _abi.Double, operation, _abi.World));
    }

    private static void Check(int code)
    {
        if (code != 0) throw new SiamorphException(
            $"MPI failed (error {code}). The training can be resumed from its last checkpoint.");
    }

    private Collective Enter()
    {
        Interlocked.Exchange(ref _entered, Stopwatch.GetTimestamp());
        return new(this);
    }

    private void Watch(Action<string> tell)
    {
        var entered = Interlocked.Read(ref _entered);
        if (entered == 0 || Stopwatch.GetElapsedTime(entered) < _patience) return;
        tell($"rank {Rank} has waited {_patience.TotalMinutes:0.#} minutes for the others: one is lost or hangs. All are ended; "
            + $"continue with --resume.");
        Abort(2);
    }

    private readonly struct Collective(Mpi group) : IDisposable
    {
        private readonly long _since = Stopwatch.GetTimestamp();

        public void Dispose()
        {
            Interlocked.Exchange(ref group._entered, 0);
            group.InCollectives += Stopwatch.GetElapsedTime(_since);
        }
    }

    [LibraryImport("libc.so.6", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint dlopen(string file, int flags);

    [LibraryImport("libc.so.6", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);
}
