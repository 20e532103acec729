namespace Siamorph.Studio.Draw;

/// <summary>The processes that draw: one for each run that somebody draws with, ended when nobody has for a while.</summary>
internal sealed class DrawingService : IDisposable
{
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(5), Look = TimeSpan.FromSeconds(15);

    private readonly IReadOnlyList<string> _program;
    private readonly Dictionary<string, (string Version, Task<SynthesisProcess> Child)> _children = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private readonly Timer _timer;

    public DrawingService(IReadOnlyList<string> program)
    {
        _program = program;
        _timer = new(_ => Tidy(DateTime.UtcNow - Idle), null, Look, Look);
    }

    /// <summary>The process that draws with a run; a newer checkpoint takes an older one's place.</summary>
    /// <exception cref="StudioException">The model can't be loaded.</exception>
    public Task<SynthesisProcess> Of(string run, CancellationToken stop)
    {
        var version = Version(run);
        lock (_lock)
        {
            if (_children.TryGetValue(run, out var known) && known.Version == version && !HasFailed(known.Child))
                return known.Child;
            if (known.Child is not null) End(known.Child);
            var child = SynthesisProcess.Start(_program, run, stop);
            _children[run] = (version, child);
            return child;
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        Tidy(DateTime.MaxValue);
    }

    private void Tidy(DateTime before)
    {
        lock (_lock)
        {
            foreach (var (run, (_, child)) in _children.ToList())
            {
                if (before != DateTime.MaxValue && !(child.IsCompletedSuccessfully && child.Result.LastUsed < before)) continue;
                End(child);
                _children.Remove(run);
            }
        }
    }

    private static bool HasFailed(Task<SynthesisProcess> child) => child.IsFaulted || child.IsCanceled
        || (child.IsCompletedSuccessfully && child.Result.HasEnded);

    private static void End(Task<SynthesisProcess> child) =>
        child.ContinueWith(c => c.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion,
        TaskScheduler.Default);

    private static string Version(string run)
    {
        var checkpoints = Path.Combine(run, "checkpoints");
        return Directory.Exists(checkpoints) ? Directory.EnumerateDirectories(checkpoints).Max(StringComparer.Ordinal) ?? "" : "";
    }
}
