namespace Siamorph;

/// <summary>How long work tells whoever watches what it does, and learns that it should stop.</summary>
public interface IMonitor
{
    /// <summary>
    /// Set when the user asks to stop; work saves what it has and throws <see cref="OperationCanceledException"/>.
    /// </summary>
    CancellationToken Cancellation { get; }

    /// <summary>
    /// Begins a stage of <paramref name="total"/> units (steps, images, pairs); it ends when the result is disposed.
    /// </summary>
    IMonitoredStage Begin(string title, long total);

    /// <summary>A line worth keeping, shown at once.</summary>
    void Note(string line);
}

/// <summary>One stage under way.</summary>
public interface IMonitoredStage : IDisposable
{
    /// <summary>Tells how many units are done by now, and a short detail such as the current losses.</summary>
    void Report(long done, string? detail = null);
}

/// <summary>Watches nothing and never stops the work.</summary>
public sealed class NullMonitor : IMonitor
{
    /// <summary>The one instance.</summary>
    public static NullMonitor Instance { get; } = new();

    /// <inheritdoc/>
    public CancellationToken Cancellation => CancellationToken.None;

    /// <inheritdoc/>
    public IMonitoredStage Begin(string title, long total) => new Stage();

    /// <inheritdoc/>
    public void Note(string line) { }

    private sealed class Stage : IMonitoredStage
    {
        public void Report(long done, string? detail = null) { }
        public void Dispose() { }
    }
}
