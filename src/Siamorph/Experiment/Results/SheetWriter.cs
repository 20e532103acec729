using Siamorph.Data;
using Siamorph.Experiment.Scheduling;
using Siamorph.Experiment.Stages;
using Siamorph.Imaging;
using Siamorph.Segmentation;

namespace Siamorph.Experiment.Results;

/// <summary>Picks example pairs and test images and writes them, scaled as the networks see them, beside the result.</summary>
internal static class SheetWriter
{
    private const int RealPictures = 16, SyntheticPictures = 24, RefusedPictures = 12, Extremes = 4;

    public static IReadOnlyList<Sheet> Write(
        ExperimentPlan plan, IReadOnlyList<CellResult> cells, StageStore store, string folder, IStageRunner runner)
    {
        var sheets = new List<Sheet>();
        foreach (var count in plan.Cells.Select(c => c.RealCount).Distinct())
        {
            var users = plan.Cells.Where(c => c.RealCount == count && c.Stage.Synthesis is not null).ToList();
            var real = plan.RealPairs(count, plan.Options.Seeds[0]);
            sheets.Add(Pairs($"{count} real training pairs", SheetKind.Real, count, Spread(real, RealPictures), plan, folder,
                $"real-n{count}"));
            foreach (var cell in users.DistinctBy(c => c.Arm.Name))
            {
                var synthetic = TrainingPairs.Of(cell.Arm with
                {
                    UsesReal = false,
                }, [], cell.Stage.PairsToAdd(new(plan, store, runner, NullMonitor.Instance)), 0, cell.Stage.Seed);
                sheets.Add(Pairs($"synthetic pairs made from {count} real ones ({cell.Arm.Title})", SheetKind.Synthetic, count,
                    Spread(synthetic, SyntheticPictures), plan, folder, $"synthetic-n{count}-{cell.Stage.Key[..8]}"));
                if (Predictions(plan, cells, cell, store, folder) is { } predictions) sheets.Add(predictions);
            }
            // Gates differ in what they choose, not in what they refuse.
            var gate = users.Select(c => c.Stage.Gate).FirstOrDefault(g => g is not null);
            if (gate is not null && Refused(gate, count, plan, store, folder, runner) is { } refused) sheets.Add(refused);
        }
        if (plan.Cells[0].Robustness is { } robustness) sheets.Add(Corrupted(plan, robustness, folder));
        return sheets;
    }

    // The test image whose lesion is of middle size, as it is and as the networks were shown it.
    private static Sheet Corrupted(ExperimentPlan plan, RobustnessStage stage, string folder)
    {
        var pair = plan.Test.Select(p => (Pair: p, Area: PairFiles.ReadMask(p).Labels.Average(l => l == 0 ? 0.0 : 1)))
            .OrderBy(p => p.Area).ThenBy(p => p.Pair.Id, StringComparer.Ordinal).ElementAt(plan.Test.Count / 2).Pair;
        var size = plan.Options.Segmentation.ImageSize;
        var image = Resize.Image(PairFiles.ReadImage(pair), size);
        const string mask = "sheets/corrupted/mask.png";
        WriteMask(pair, size, Path.Combine(folder, mask));
        var pictures = new List<SheetImage>();
        for (var strength = 0; strength <= Corruption.Strengths; strength++)
            foreach (var kind in stage.Corruptions)
            {
                var file = FormattableString.Invariant(
                    $"sheets/corrupted/{(strength == 0 ? "clean" : $"{kind}-{strength}")}.png");
                var shown = strength == 0 ? image
                    : Corruption.Apply(image, kind, strength, RobustnessEvaluator.SeedOf(stage.Seed, kind, pair.Id));
                ImageFile.WritePng(Path.Combine(folder, file), shown);
                pictures.Add(new(FormattableString.Invariant($"{kind} {strength}"), file, [mask]));
            }
        return new Sheet($"the test image {pair.Id}, corrupted", SheetKind.Corrupted, 0, pictures);
    }

    private static List<T> Spread<T>(IReadOnlyList<T> all, int count)
        => [.. Enumerable.Range(0, Math.Min(count, all.Count)).Select(i => all[i * all.Count / Math.Min(count, all.Count)])];

    private static Sheet Pairs(
        string title, SheetKind kind, int count, List<ImageMaskPair> pairs, ExperimentPlan plan, string folder, string name)
    {
        var pictures = pairs.Select((pair, i) =>
        {
            var stem = FormattableString.Invariant($"sheets/{name}/{i + 1:00}");
            WriteImage(pair, plan.Options.Segmentation.ImageSize, Path.Combine(folder, stem + ".png"));
            WriteMask(pair, plan.Options.Segmentation.ImageSize, Path.Combine(folder, stem + "-mask.png"));
            return new SheetImage(pair.Id, stem + ".png", [stem + "-mask.png"]);
        });
        return new Sheet(title, kind, count, [.. pictures]);
    }

    // What the gate refused, a few for each first reason.
    private static Sheet? Refused(
        GateStage gate, int count, ExperimentPlan plan, StageStore store, string folder, IStageRunner runner)
    {
        var refused = runner.ReadSynthetic(store.RunFolderOf(gate))
            .Where(p => p.Origin?.GateVerdict?.StartsWith("refused", StringComparison.Ordinal) == true).ToList();
        if (refused.Count == 0) return null;
        var named = Spread(refused, RefusedPictures).Select(p => p with
        {
            Id = $"{p.Id}: {p.Origin!.GateVerdict!["refused: ".Length..]}",
        }).ToList();
        return Pairs($"synthetic pairs that the gate refused ({count} real pairs)", SheetKind.Refused, count, named, plan, folder,
            $"refused-n{count}-{gate.Key[..8]}");
    }

    // The test images that gained and lost most in the first seed, with the predictions of both arms.
    private static Sheet? Predictions(
        ExperimentPlan plan, IReadOnlyList<CellResult> cells, PlannedCell cell, StageStore store, string folder)
    {
        var baseline = plan.Cells.First(c => c.Arm.Name == plan.Options.Arms[0] && c.RealCount == cell.RealCount
            && c.Seed == cell.Seed);
        if (baseline.Arm == cell.Arm) return null;
        var (before, after) = (Images(baseline), Images(cell));
        var order = Enumerable.Range(0, after.Count).OrderBy(i => after[i].Dice - before[i].Dice).ToList();
        var chosen = order.Take(Extremes).Concat(order.TakeLast(Extremes)).Distinct();
        var pictures = new List<SheetImage>();
        foreach (var i in chosen)
        {
            var stem = FormattableString.Invariant($"sheets/test-n{cell.RealCount}-{cell.Stage.Key[..8]}/{i + 1:0000}");
            var masks = new List<string> { stem + "-truth.png" };
            WriteImage(plan.Test[i], plan.Options.Segmentation.ImageSize, Path.Combine(folder, stem + ".png"));
            WriteMask(plan.Test[i], plan.Options.Segmentation.ImageSize, Path.Combine(folder, stem + "-truth.png"));
            foreach (var (stage, suffix) in new[] { (baseline.Stage, "-baseline.png"), (cell.Stage, "-arm.png") })
            {
                var prediction = PredictionFile(Path.Combine(store.FolderOf(stage), "run"), i);
                if (!File.Exists(prediction)) return null;
                File.Copy(prediction, Path.Combine(folder, stem + suffix), overwrite: true);
                masks.Add(stem + suffix);
            }
            pictures.Add(new(FormattableString.Invariant($"{plan.Test[i].Id}: Dice {before[i].Dice:0.00} → {after[i].Dice:0.00}"),
                stem + ".png", masks));
        }
        var arm = plan.Options.Arms.Count > 2 ? $"{cell.Arm.Title}, " : "";
        return new Sheet($"test images that lost and gained most ({arm}{cell.RealCount} real pairs, seed {cell.Seed})",
            SheetKind.Prediction,
            cell.RealCount, pictures, cell.Arm.Name);

        IReadOnlyList<ImageScore> Images(PlannedCell c) => cells.Single(r => r.Stage == c.Stage.Folder).Outcome.Images;
    }

    /// <summary>Where a segmentation stage keeps its decision about the test image of an index.</summary>
    public static string PredictionFile(string runFolder, int index)
        => Path.Combine(runFolder, "predictions", FormattableString.Invariant($"{index + 1:0000}.png"));

    private static void WriteImage(ImageMaskPair pair, ImageSize size, string path)
        => ImageFile.WritePng(path, Resize.Image(PairFiles.ReadImage(pair), size));

    private static void WriteMask(ImageMaskPair pair, ImageSize size, string path)
        => ImageFile.WriteMaskPng(path, Resize.Mask(PairFiles.ReadMask(pair), size));
}
