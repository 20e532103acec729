using Siamorph.Training;

namespace Siamorph.Experiment.Results;

/// <summary>Takes the losses of a generator's run from its log, thinned to what a chart can show.</summary>
internal static class CurveReader
{
    private const int Points = 200;

    public static IReadOnlyList<StageCurves> Stages(RunFolder run)
    {
        var entries = TrainingLog.Read(run.LogPath);
        return
        [
            .. Stage("base", entries, [("total", "denoising loss")]),
            .. Stage("siamese", entries,
                [("mask", "mask"), ("image", "image"), ("consistency", "noise consistency"),
                    ("augmentation", "online augmentation")]),
        ];
    }

    private static IEnumerable<StageCurves> Stage(string stage, IReadOnlyList<LogEntry> all, (string Key, string Name)[] losses)
    {
        var entries = all.Where(e => e.Values.Keys.Any(k => k.StartsWith($"{stage}/", StringComparison.Ordinal))).ToList();
        if (entries.Count == 0) yield break;
        var first = entries[0].Step - 1; // the log counts on from stage to stage
        var curves = losses.Where(l => entries.Any(e => e.Values.ContainsKey($"{stage}/{l.Key}")))
            .Select(l => Thinned(l.Name, entries.Where(e => e.Values.ContainsKey($"{stage}/{l.Key}"))
                .Select(e => (e.Step - first, e.Values[$"{stage}/{l.Key}"])).ToList()));
        yield return new StageCurves(stage, [.. curves]);
    }

    // Means over equal stretches: picking single points would show their noise.
    private static Curve Thinned(string name, List<(long Step, double Value)> points)
    {
        var stretch = (points.Count + Points - 1) / Points;
        var means = points.Chunk(stretch).Select(c => (c[^1].Step, Value: Math.Round(c.Average(p => p.Value), 6))).ToList();
        return new Curve(name, [.. means.Select(m => m.Step)], [.. means.Select(m => m.Value)]);
    }
}
