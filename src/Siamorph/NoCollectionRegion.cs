using System.Diagnostics;

namespace Siamorph;

/// <summary>
/// Keeps garbage collection out of native calls. TorchSharp hands a number such as the 2 in <c>x * 2</c> to native code
/// through a temporary object and does not keep it alive meanwhile: a collection at that moment frees the number while
/// it is read. Where the process asks for it, long loops therefore collect between their steps only. It is the process's own
/// garbage collector, so a program that uses the library decides for itself, by the switch; the command `siamorph` turns it on.
/// </summary>
internal sealed class NoCollectionRegion : IDisposable
{
    /// <summary>The switch of <see cref="AppContext"/> that turns the no-collection region on; off where it is not set.</summary>
    public const string SwitchName = "Siamorph.NoCollectionRegion";

    private const long Budget = 64 << 20; // bytes of managed memory between two collections; a step needs less than one MiB
    private const double Interval = 1; // seconds; gradient functions of ours let go of their graph only when collected
    private static int s_users;
    private static NoCollectionRegion? s_outermost;
    private long _allocated;
    private long _since;

    private NoCollectionRegion() => Begin();

    /// <summary>Begins a loop; <see cref="StepDone"/> is called after each of its steps. Loops within loops are fine.</summary>
    public static NoCollectionRegion Enter()
    {
        var first = Interlocked.Increment(ref s_users) == 1;
        var entered = new NoCollectionRegion();
        if (first) s_outermost = entered;
        return entered;
    }

    /// <summary>
    /// Within a step, at a place where no native call waits for a temporary: collects if a second has passed. What the gradient
    /// functions of large networks hold would otherwise pile up until the step is done.
    /// </summary>
    public static void Pause() => Volatile.Read(ref s_outermost)?.StepDone();

    /// <summary>
    /// No native call is under way: collects if a second has passed, or enough been allocated, since the last time.
    /// </summary>
    public void StepDone()
    {
        var due = Stopwatch.GetElapsedTime(_since).TotalSeconds >= Interval
            || GC.GetTotalAllocatedBytes() - _allocated >= Budget / 2;
        if (!due || Volatile.Read(ref s_users) > 1) return;
        End();
        GC.Collect();
        Begin();
    }

    /// <summary>Ends the loop.</summary>
    public void Dispose()
    {
        if (ReferenceEquals(s_outermost, this)) s_outermost = null;
        if (Interlocked.Decrement(ref s_users) == 0) End();
    }

    private static bool IsOn => AppContext.TryGetSwitch(SwitchName, out var on) && on;

    private void Begin()
    {
        _allocated = GC.GetTotalAllocatedBytes();
        _since = Stopwatch.GetTimestamp();
        if (IsOn && System.Runtime.GCSettings.LatencyMode != System.Runtime.GCLatencyMode.NoGCRegion)
            GC.TryStartNoGCRegion(Budget);
    }

    private static void End()
    {
        try
        {
            if (IsOn && System.Runtime.GCSettings.LatencyMode == System.Runtime.GCLatencyMode.NoGCRegion) GC.EndNoGCRegion();
        }
        catch (InvalidOperationException)
        {
            // More was allocated than the budget: the runtime has collected already and ended the region itself.
        }
    }
}
