using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Siamorph.Distributed;

/// <summary>Sums tensors that lie on graphics cards, from card to card.</summary>
internal interface INccl
{
    /// <summary>What names a new ring of ranks; one rank makes it for all.</summary>
    byte[] NewId();

    /// <summary>Joins a ring; returns when all ranks have.</summary>
    /// <param name="ranks">How many there are.</param>
    /// <param name="id">From <see cref="NewId"/>.</param>
    /// <param name="rank">Number of this one.</param>
    /// <param name="card">Index of its graphics card.</param>
    /// <exception cref="SiamorphException">NCCL refused; the message says why.</exception>
    INcclRing Join(int ranks, byte[] id, int rank, int card);
}

/// <summary>A ring of ranks, a graphics card each.</summary>
internal interface INcclRing : IDisposable
{
    /// <summary>Puts the sum over all ranks in the place of a tensor's values.</summary>
    /// <param name="tensor">float32, contiguous, on the ring's card.</param>
    /// <exception cref="SiamorphException">NCCL failed.</exception>
    void Sum(Tensor tensor);
}

/// <summary>
/// NVIDIA's library for sums from card to card, opened where it is there: its own file, or the copy within libtorch. Work goes
/// to CUDA's stream 0, on which libtorch works too, so each waits for the other.
/// </summary>
internal sealed unsafe class Nccl : INccl
{
    private const int IdLength = 128, Float32 = 7, SumOfAll = 0;
    private const string OwnLibrary = "libnccl.so.2", Libtorch = "libtorch_cuda.so";

    private readonly delegate* unmanaged[Cdecl]<UniqueId*, int> _newId;
    private readonly delegate* unmanaged[Cdecl]<nint*, int, UniqueId, int, int> _join;
    private readonly delegate* unmanaged[Cdecl]<void*, void*, nuint, int, int, nint, nint, int> _allReduce;
    private readonly delegate* unmanaged[Cdecl]<nint, int> _leave;
    private readonly delegate* unmanaged[Cdecl]<int, byte*> _message;
    private readonly delegate* unmanaged[Cdecl]<int, nint*, int> _chooseCard;
    private readonly delegate* unmanaged[Cdecl]<nint, int> _chooseFormerCard;

    private Nccl(Func<string, nint> symbol)
    {
        _newId = (delegate* unmanaged[Cdecl]<UniqueId*, int>)symbol("ncclGetUniqueId");
        _join = (delegate* unmanaged[Cdecl]<nint*, int, UniqueId, int, int>)symbol("ncclCommInitRank");
        _allReduce = (delegate* unmanaged[Cdecl]<void*, void*, nuint, int, int, nint, nint, int>)symbol("ncclAllReduce");
        _leave = (delegate* unmanaged[Cdecl]<nint, int>)symbol("ncclCommDestroy");
        _message = (delegate* unmanaged[Cdecl]<int, byte*>)symbol("ncclGetErrorString");
        _chooseCard = (delegate* unmanaged[Cdecl]<int, nint*, int>)symbol("aoti_torch_create_cuda_guard");
        _chooseFormerCard = (delegate* unmanaged[Cdecl]<nint, int>)symbol("aoti_torch_delete_cuda_guard");
    }

    /// <summary>Opens the library; null where there is none, or this libtorch knows no graphics cards.</summary>
    public static INccl? Open()
    {
        if (!OperatingSystem.IsLinux() || !NativeLibrary.TryLoad(Libtorch, out var libtorch)) return null;
        NativeLibrary.TryLoad(OwnLibrary, out var own);
        return Open(name => (own != 0 && NativeLibrary.TryGetExport(own, name, out var symbol))
            || NativeLibrary.TryGetExport(libtorch, name, out symbol) ? symbol : 0);
    }

    /// <summary>The same by a look-up of functions, which gives 0 for what is not there.</summary>
    internal static INccl? Open(Func<string, nint> symbol)
    {
        var missing = false;
        var nccl = new Nccl(name =>
        {
            var found = symbol(name);
            missing |= found == 0;
            return found;
        });
        return missing ? null : nccl;
    }

    public byte[] NewId()
    {
        UniqueId id;
        Check(_newId(&id));
        return new Span<byte>(id.Bytes, IdLength).ToArray();
    }

    public INcclRing Join(int ranks, byte[] id, int rank, int card)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(id.Length, IdLength);
        UniqueId name;
        id.CopyTo(new Span<byte>(name.Bytes, IdLength));
        nint ring;
        using (On(card)) Check(_join(&ring, ranks, name, rank));
        return new Ring(this, ring, card);
    }

    private void Check(int code)
    {
        if (code == 0) return;
        throw new SiamorphException($"NCCL failed: {Marshal.PtrToStringUTF8((nint)_message(code)) ?? $"error {code}"}. The "
            + $"training can be resumed from its last checkpoint.");
    }

    private Card On(int card) => new(this, card);

    // Passed by value, as C passes it.
    private struct UniqueId
    {
        public fixed byte Bytes[IdLength];
    }

    // NCCL works on the card that is chosen for the thread, and libtorch chooses one for each of its calls alone.
    private readonly ref struct Card
    {
        private readonly Nccl _nccl;
        private readonly nint _former;

        public Card(Nccl nccl, int card)
        {
            nint former;
            if (nccl._chooseCard(card, &former) != 0) throw new SiamorphException($"Graphics card {card} could not be chosen.");
            (_nccl, _former) = (nccl, former);
        }

        public void Dispose() => _ = _nccl._chooseFormerCard(_former);
    }

    private sealed class Ring(Nccl nccl, nint handle, int card) : INcclRing
    {
        public void Sum(Tensor tensor)
        {
            var address = (void*)Acceleration.Dispatcher.AddressOf(tensor);
            using var chosen = nccl.On(card);
            nccl.Check(nccl._allReduce(address, address, (nuint)tensor.numel(), Float32, SumOfAll, handle, 0));
        }

        public void Dispose()
        {
            using var chosen = nccl.On(card);
            _ = nccl._leave(handle);
        }
    }
}
