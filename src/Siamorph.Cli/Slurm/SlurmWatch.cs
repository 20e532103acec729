using System.Diagnostics;
using Siamorph.Experiment.Scheduling;

namespace Siamorph.Cli.Slurm;

/// <summary>Watches the jobs of an experiment by what they leave in its folder and by what Slurm says of them.</summary>
internal sealed class SlurmWatch(SlurmClient slurm, SlurmSettings settings, string folder, IMonitor monitor)
{
    private readonly SlurmJobs _jobs = new(folder);
    private readonly Dictionary<string, long> _overSince = [];
    private readonly HashSet<string> _told = [];
    private bool _answered = true;

    /// <summary>Waits until every stage is done and the results are written.</summary>
    /// <exception cref="SiamorphException">Stages failed, and nothing else is left to wait for.</exception>
    public void UntilDone(IReadOnlyList<PlannedWork> plan)
    {
        using var progress = monitor.Begin("stages", plan.Count);
        var (pause, before) = (settings.Look.Shortest, -1);
        while (true)
        {
            monitor.Cancellation.ThrowIfCancellationRequested();
            var left = PlannedWork.Left(plan, folder);
            var states = States();
            progress.Report(plan.Count - left.Count, Detail(left, states));
            if (left.Count == 0 && (states is null || StateOf(SlurmJobs.Results, states) == SlurmJobState.Ended)) return;
            var over = Over(left, states);
            Tell(left, over);
            if (left.Count > 0 && over.Count == left.Count) throw new SiamorphException(Failure(left));
            pause = left.Count != before ? settings.Look.Shortest
                : TimeSpan.FromTicks(Math.Min(pause.Ticks * 3 / 2, settings.Look.Longest.Ticks));
            before = left.Count;
            monitor.Cancellation.WaitHandle.WaitOne(pause);
        }
    }

    private IReadOnlyDictionary<string, SlurmJobState>? States()
    {
        var states = slurm.Jobs();
        if (states is null && _answered) monitor.Note("squeue gives no answer; waiting for Slurm to come back.");
        _answered = states is not null;
        return states;
    }

    // What Slurm has forgotten is over: it forgets jobs minutes after their end.
    private SlurmJobState StateOf(string stage, IReadOnlyDictionary<string, SlurmJobState> states)
        => _jobs.Of(stage) is { } job ? states.GetValueOrDefault(job, SlurmJobState.Ended) : SlurmJobState.Ended;

    private string Detail(IReadOnlyList<PlannedWork> left, IReadOnlyDictionary<string, SlurmJobState>? states)
    {
        if (states is null) return "Slurm gives no answer";
        var counts = left.Select(w => StateOf(w.Stage, states)).ToList();
        return $"{counts.Count(s => s == SlurmJobState.Running)} running, "
            + $"{counts.Count(s => s == SlurmJobState.Waiting)} waiting";
    }

    // Stages that are not done though their jobs have been over for a while.
    private List<PlannedWork> Over(IReadOnlyList<PlannedWork> left, IReadOnlyDictionary<string, SlurmJobState>? states)
    {
        if (states is null) return [];
        foreach (var stage in left.Select(w => w.Stage))
        {
            if (StateOf(stage, states) != SlurmJobState.Ended) _overSince.Remove(stage);
            else _overSince.TryAdd(stage, Stopwatch.GetTimestamp());
        }
        return [.. left.Where(w => _overSince.TryGetValue(w.Stage, out var since)
            && Stopwatch.GetElapsedTime(since) >= settings.Grace)];
    }

    private void Tell(IReadOnlyList<PlannedWork> left, List<PlannedWork> over)
    {
        foreach (var work in Roots(left).Where(w => over.Contains(w) && _told.Add(w.Stage)))
        {
            var cancelled = Dependents(work, left);
            monitor.Note(
                Line(work)
                + (cancelled > 0 ? $" Slurm cancels the {cancelled} stages that need it" : " No other stage needs it")
                + "; the others continue.");
        }
    }

    private string Failure(IReadOnlyList<PlannedWork> left)
    {
        var roots = Roots(left).ToList();
        var cancelled = left.Count - roots.Count;
        return $"{string.Join('\n', roots.Select(Line))}\n"
            + $"{(cancelled > 0 ? $"{cancelled} stages that need {(roots.Count == 1 ? "it" : "them")} were cancelled. " : "")}"
            + "What is done is kept: put right what is wrong and give the same command again.";
    }

    // Those that did not wait for another that is missing.
    private static IEnumerable<PlannedWork> Roots(IReadOnlyList<PlannedWork> left)
    {
        var names = left.Select(w => w.Stage).ToHashSet();
        return left.Where(w => !w.Needs.Any(names.Contains));
    }

    private static int Dependents(PlannedWork work, IReadOnlyList<PlannedWork> left)
    {
        var reached = new HashSet<string> { work.Stage };
        // The plan's order: needs come first
        foreach (var other in left.Where(o => o.Needs.Any(reached.Contains))) reached.Add(other.Stage);
        return reached.Count - 1;
    }

    private string Line(PlannedWork work)
    {
        var log = Path.Combine(folder, SlurmJobs.Folder, $"{_jobs.Of(work.Stage)}.log");
        var last = File.Exists(log) ? File.ReadLines(log).LastOrDefault(l => l.Trim().Length > 0)?.Trim() : null;
        return $"{work.Stage} ended unfinished ({(last is null ? "it left no log" : $"{log}: {last}")}).";
    }
}
