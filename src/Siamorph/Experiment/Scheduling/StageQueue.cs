namespace Siamorph.Experiment.Scheduling;

/// <summary>
/// The stages that are left, for several processes that share an experiment's folder: each stage is claimed by a lock on a
/// file, which the system frees when its process ends in whatever way, and is offered only when all it needs is done.
/// </summary>
internal sealed class StageQueue(IEnumerable<RemainingStage> remaining, StageStore store)
{
    private readonly List<RemainingStage> _left = [.. remaining];

    /// <summary>Whether every stage is done, by whomever.</summary>
    public bool IsEmpty => _left.Count == 0;

    /// <summary>Leaves out the stages that others have finished meanwhile.</summary>
    /// <returns>Those stages.</returns>
    public IReadOnlyList<RemainingStage> DropFinished()
    {
        var finished = _left.Where(s => store.Find(s.Stage) is not null).ToList();
        _left.RemoveAll(finished.Contains);
        return finished;
    }

    /// <summary>The stages whose inputs are there, whoever works on them.</summary>
    public IReadOnlyList<RemainingStage> Ready() => [.. _left.Where(s => s.Stage.Needs.All(n => store.Find(n) is not null))];

    /// <summary>The first stage that can be worked on now; null while others hold all of those.</summary>
    public ClaimedStage? Take()
    {
        foreach (var stage in Ready())
        {
            if (store.TryLock(stage.Stage) is not { } held) continue;
            if (store.Find(stage.Stage) is null) return new(stage, held);
            held.Dispose(); // finished between the look and the lock
        }
        return null;
    }

    /// <summary>A stage that this process alone works on until it is disposed.</summary>
    public sealed record ClaimedStage(RemainingStage Stage, IDisposable Lock) : IDisposable
    {
        public void Dispose() => Lock.Dispose();
    }
}
