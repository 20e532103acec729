using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using TorchSharp;

namespace Siamorph.Acceleration;

/// <summary>
/// Runs numbered tasks on libtorch's own threads, so that kernels of ours and of libtorch take turns on one pool instead of
/// two pools that fight for the cores. Threads take the next task when they are free: what a task computes must not
/// depend on which thread runs it.
/// </summary>
internal static unsafe class Workers
{
    [ThreadStatic] private static bool t_inside;
    private static readonly bool Native = HasNativePool();

    /// <summary>
    /// Calls <paramref name="body"/> with 0 … <paramref name="tasks"/> − 1; inside another call it runs on this thread.
    /// </summary>
    public static void For(int tasks, Action<int> body)
    {
        var threads = Math.Min(tasks, torch.get_num_threads());
        if (threads <= 1 || t_inside)
        {
            for (var i = 0; i < tasks; i++) body(i);
        }
        else
        {
            new Job(tasks, body).Run(threads);
        }
    }

    /// <summary>
    /// The same for tasks that are parts of networks: each has one thread, and libtorch is told so. oneDNN lays its work out for
    /// as many threads as there seem to be, and within a parallel loop it may wait for ever for those that never come.
    /// </summary>
    public static void Apart(int tasks, Action<int> body)
    {
        var threads = torch.get_num_threads();
        try
        {
            For(tasks, i =>
            {
                torch.set_num_threads(1); // of this thread, in this loop
                body(i);
            });
        }
        finally
        {
            torch.set_num_threads(threads);
        }
    }

    private static bool HasNativePool() => NativeLibrary.TryLoad("torch_cpu", typeof(Workers).Assembly, null, out var library)
        && NativeLibrary.TryGetExport(library, "torch_parallel_for", out _);

    private sealed class Job(int tasks, Action<int> body)
    {
        private int _next;
        private ExceptionDispatchInfo? _failure;

        public void Run(int threads)
        {
            if (Native)
            {
                var handle = GCHandle.Alloc(this);
                var error = NativeTorch.ParallelFor(0, threads, 1, &Enter, (void*)GCHandle.ToIntPtr(handle));
                handle.Free();
                if (error != 0) throw new InvalidOperationException("libtorch could not run a parallel loop.");
            }
            else
            {
                Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, _ => Drain());
            }
            _failure?.Throw();
        }

        [UnmanagedCallersOnly]
        private static void Enter(long begin, long end, void* context) =>
            ((Job)GCHandle.FromIntPtr((nint)context).Target!).Drain();

        private void Drain()
        {
            var outer = t_inside;
            t_inside = true;
            try
            {
                for (var i = Interlocked.Increment(ref _next) - 1; i < tasks && _failure is null;
                    i = Interlocked.Increment(ref _next) - 1)
                {
                    body(i);
                }
            }
            catch (Exception e) // an exception must not unwind through native frames
            {
                _failure = ExceptionDispatchInfo.Capture(e);
            }
            finally
            {
                t_inside = outer;
            }
        }
    }
}
