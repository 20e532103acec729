using System.Diagnostics;

namespace Siamorph;

/// <summary>
/// Where the time of a training or sampling step goes. While one is open on a thread, the operations that the step runs note
/// their own time there, less that of operations inside them; without one a note costs next to nothing.
/// </summary>
internal sealed class StepProfile : IDisposable
{
    /// <summary>The time that no operation took note of.</summary>
    public const string Rest = "everything else";

    /// <summary>Getting memory for results.</summary>
    public const string Allocation = "allocation";

    /// <summary>Copies, from one memory order into another and of parts into one.</summary>
    public const string Copies = "copies";

    [ThreadStatic] private static StepProfile? t_open;
    private readonly Dictionary<string, (long Ticks, long Calls, long Bytes)> _shares = [];
    private readonly Stack<string> _outer = []; // of the operations of libtorch under way
    private readonly HashSet<string> _parts = [Rest];
    private string _running = Rest;
    private long _since = Stopwatch.GetTimestamp();

    /// <summary>Opens one for this thread.</summary>
    public StepProfile() => t_open = this;

    /// <summary>From here until the result is disposed it is this operation that runs.</summary>
    /// <param name="operation">Its name in the table, such as "convolution, forward".</param>
    /// <param name="floats">Floats that it reads and writes, as tensors, each counted once.</param>
    public static Section Of(string operation, long floats = 0) => new(t_open, operation, floats);

    /// <summary>
    /// The same of a part of the step in which operations of libtorch count for themselves where they can be heard.
    /// </summary>
    public static Section Around(string part)
    {
        t_open?._parts.Add(part);
        return new(t_open, part, 0);
    }

    /// <summary>Whether this thread has one.</summary>
    internal static bool IsOpen => t_open is not null;

    /// <summary>
    /// An operation of libtorch begins. Within an operation that took note of itself only allocation and copies count for
    /// themselves.
    /// </summary>
    /// <param name="operation">Its line; null leaves the time to what runs already.</param>
    internal static void Enter(string? operation)
    {
        if (t_open is not { } profile) return;
        profile._outer.Push(profile._running);
        if (operation is not null && operation != profile._running
            && (profile._parts.Contains(profile._running) || operation is Allocation or Copies))
            profile.Turn(operation, 1);
    }

    /// <summary>The operation of libtorch that began last ends.</summary>
    internal static void Leave()
    {
        if (t_open is not { } profile || !profile._outer.TryPop(out var outer)) return;
        if (outer != profile._running) profile.Turn(outer);
    }

    /// <summary>Forgets what was noted so far, such as the time of the first steps.</summary>
    public void Clear()
    {
        Turn(_running);
        _shares.Clear();
    }

    /// <summary>What was noted, the largest share first.</summary>
    /// <param name="steps">Steps since the last <see cref="Clear"/>; times, calls and bytes are those of one.</param>
    /// <param name="without">An operation that is no part of a step.</param>
    public IReadOnlyList<OperationShare> Shares(int steps, string? without = null)
    {
        Turn(_running);
        var counted = _shares.Where(s => s.Key != without).ToList();
        double total = counted.Sum(s => s.Value.Ticks), ticksAMs = Stopwatch.Frequency / 1000.0;
        return [.. counted.Select(s => new OperationShare(
            s.Key, s.Value.Ticks / ticksAMs / steps, s.Value.Ticks / total, (double)s.Value.Calls / steps,
            s.Value.Bytes / 1e6 / steps)).OrderByDescending(s => s.Ms)];
    }

    /// <summary>Closes it.</summary>
    public void Dispose()
    {
        if (ReferenceEquals(t_open, this)) t_open = null;
    }

    // What has run until now gets the time since the last turn.
    private void Turn(string next, long calls = 0, long bytes = 0)
    {
        var now = Stopwatch.GetTimestamp();
        Add(_running, (now - _since, 0, 0));
        (_running, _since) = (next, now);
        if (calls > 0) Add(next, (0, calls, bytes));
    }

    private void Add(string operation, (long Ticks, long Calls, long Bytes) more)
    {
        var share = _shares.GetValueOrDefault(operation);
        _shares[operation] = (share.Ticks + more.Ticks, share.Calls + more.Calls, share.Bytes + more.Bytes);
    }

    /// <summary>An operation under way.</summary>
    internal readonly ref struct Section : IDisposable
    {
        private readonly StepProfile? _profile;
        private readonly string? _outer;

        public Section(StepProfile? profile, string operation, long floats)
        {
            (_profile, _outer) = (profile, profile?._running);
            profile?.Turn(operation, 1, floats * sizeof(float));
        }

        public void Dispose() => _profile?.Turn(_outer!);
    }
}

/// <summary>What one kind of operation takes of a step.</summary>
/// <param name="Operation">Its name.</param>
/// <param name="Ms">Milliseconds a step, without those of operations inside it.</param>
/// <param name="Share">Of the whole step, 0 to 1.</param>
/// <param name="Calls">How often it runs in a step.</param>
/// <param name="MegaBytes">10⁶ bytes of tensors that it reads and writes in a step, where it says so.</param>
internal sealed record OperationShare(string Operation, double Ms, double Share, double Calls, double MegaBytes);
