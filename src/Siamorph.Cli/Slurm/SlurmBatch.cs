using Siamorph.Experiment.Scheduling;

namespace Siamorph.Cli.Slurm;

/// <summary>Stages that wait for the same things: one job array.</summary>
/// <param name="Stages">Its tasks, in order.</param>
/// <param name="Needs">The unfinished stages that all of them need.</param>
internal sealed record SlurmBatch(IReadOnlyList<string> Stages, IReadOnlyList<string> Needs)
{
    private const int Largest = 1000; // Slurm's MaxArraySize is 1001 unless a cluster says otherwise

    /// <summary>Groups what is left, each group after those it needs.</summary>
    /// <param name="left">Stages to submit, in the order of the plan.</param>
    /// <param name="unfinished">Names of those and of those that are already queued or running.</param>
    public static IReadOnlyList<SlurmBatch> Of(IReadOnlyList<PlannedWork> left, IReadOnlySet<string> unfinished) =>
    [
        // A group stands where its first stage stood, and all that this one needs stood before it.
        .. left.Select(w => (Work: w, Needs: w.Needs.Where(unfinished.Contains).ToList()))
        .GroupBy(w => (w.Work.Kind, string.Join('\n', w.Needs.Order(StringComparer.Ordinal))))
            .SelectMany(g => g.Chunk(Largest)).Select(g => new SlurmBatch([.. g.Select(w => w.Work.Stage)], g[0].Needs)),
    ];
}
