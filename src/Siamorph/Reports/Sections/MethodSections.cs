using System.Globalization;
using System.Text.Json.Nodes;
using Siamorph.Experiment;
using Siamorph.Experiment.Results;
using Siamorph.Experiment.Stages;
using Siamorph.Reports.Charts;
using Siamorph.Training;

namespace Siamorph.Reports.Sections;

/// <summary>How the numbers came about: method, time, and every option, seed and hash.</summary>
internal static class MethodSections
{
    public static Section Method(ExperimentResult result)
    {
        var o = result.Options;
        var scope = o.SeedScope switch
        {
            SeedScope.Everything =>
                "A seed decides everything: the choice of real pairs, the generator's training, the synthetic set, and the "
                + "segmentation network's training.",
            SeedScope.Synthesis =>
                "A seed decides the synthetic set and the segmentation network's training. Real pairs and generator are the same "
                + "for all seeds.",
            _ =>
                "A seed decides the segmentation network's initial weights, order of images and augmentation. Real pairs, "
                + "generator and synthetic set are the same for all seeds.",
        };
        return new Section("Method",
        [
            new BulletList([.. result.Arms.Select(a => $"{a.Title}: {a.Description}")]),
            new BulletList(
            [
                "A generator was trained on the real training pairs of its arm and nothing else: no validation or test images, "
                    + "no further real pairs. It generates from the masks of these pairs.",
                $"Every segmentation network took {o.Segmentation.Steps} optimizer steps of "
                    + $"{Format.Count(o.Segmentation.BatchSize, "image")}, regardless of the number of training pairs.",
                result.Options.Segmentation.Keep == Segmentation.CheckpointSelection.Last
                    ? "The last weights were kept, so no selection was made on the validation split: the number of real pairs is "
                    + "the number of labelled images used."
                    : "The weights that were kept are those with the best validation Dice; the rule and the validation split are "
                    + "the same for all arms. The labels of the validation split were used in addition to the real pairs.",
                "The test split was used once for each network, after its training.",
                "For one seed the arms start from the same initial weights and share the same real pairs; a smaller set of real "
                    + "pairs is a subset of a larger one.",
                scope,
                $"Intervals: paired percentile bootstrap, {o.BootstrapDraws.ToString("N0", CultureInfo.InvariantCulture)} draws "
                    + $"over seeds and test images together"
                    + (result.Data.Groups["test"] > 0 ? " (images of one patient or sequence resampled together)" : "")
                    + ". With few seeds they are rough.",
                .. result.Comparisons.Any(c => c.Statistics is not null) ? Statistics(result)
                : ["Intervals are not corrected for the number of comparisons."],
            ]),
        ]);
    }

    private static string[] Statistics(ExperimentResult result)
    {
        var primary = result.Declared;
        return
        [
            primary is null ? "No primary comparison was declared."
                : $"Primary comparison, declared before the run: mean {ExperimentSentences.Measure(primary)} of "
                + $"{ExperimentSentences.Title(result, primary.Arm)} against "
                + $"{ExperimentSentences.Title(result, primary.Baseline)} with {primary.RealCount} real pairs. All other "
                + $"comparisons are secondary.",
            "For few seeds the intervals are widened: Student's t with degrees of freedom after Satterthwaite, from the variance "
                + "components of seeds and test images.",
            "A secondary comparison counts only if its interval excludes zero and the Wilcoxon signed-rank test is significant "
                + "after Holm's correction (5\u00A0%).",
            "Least detectable effect: the true difference that an experiment with this variance detects with 80\u00A0% power.",
            "A lesion counts as missed if less than a tenth of it was found; a predicted region counts as a false alarm if less "
                + "than a tenth of it lies on a lesion.",
            "Subgroups: intervals without correction for multiple comparisons; treat them as exploratory.",
        ];
    }

    public static Section Time(ExperimentTimes times)
    {
        var kinds = times.Stages.GroupBy(s => s.Kind).OrderBy(g => StageKind.Place(g.Key))
            .Select(g => (g.Key, Sum: g.Sum(s => s.Seconds), Count: g.Count())).ToList();
        var total = times.Stages.Sum(s => s.Seconds);
        return new Section("Time",
        [
            new Figure(new BarList
            {
                Label = "Time used for each kind of stage.",
                Quantity = "time",
                Bars = [.. kinds.Select((k, i) => ($"{Kind(k.Key)} ({k.Count})", k.Sum, Format.Duration(k.Sum), i + 1))],
            }, $"{Format.Duration(total)} in all",
            "Total time of the stages on this machine; stages that ran in parallel are each counted in full."
                + (times.Stages.Any(s => s.Resumed)
                ? " Some stages were interrupted; for these only the time of the last run is counted." : "")),
            new CollapsedSection("Each stage", [new Table(["stage", "kind", "time", "finished (UTC)"],
                [.. times.Stages.Select(s => (IReadOnlyList<string>)[s.Stage, s.Kind, Format.Duration(s.Seconds),
                    s.Finished])])]),
        ]);
    }

    public static Section Everything(ExperimentResult result, ExperimentTimes? times)
    {
        var blocks = new List<Block>
        {
            new CollapsedSection("Every option",
                [new Table(["option", "value"], [.. Rows(OptionsFile.ToNode(result.Options), "")])]),
            new CollapsedSection("Every network",
                [new Table(["arm", "real pairs", "seed", "Dice", "IoU", "best step", "weights (SHA-256)"],
                [.. result.Cells.Select(c => (IReadOnlyList<string>)[ExperimentSentences.Title(result, c.Arm), Text(c.RealCount),
                    Text(c.Seed.Value),
                    Format.Score(c.Outcome.Dice), Format.Score(c.Outcome.Iou), Text(c.Outcome.BestStep),
                    c.Outcome.ModelHash])])]),
            new CollapsedSection("Hashes", [new Table(["what", "SHA-256"],
            [
                ["data: ids, splits and all files", result.Data.ContentHash],
                .. result.Generators.Select(g => (IReadOnlyList<string>)[$"generator {g.Stage}", g.Outcome.ModelHash]),
            ])]),
        };
        if (times is not null)
        {
            blocks.Add(new CollapsedSection("Machine and versions", [new Table(["what", "value"],
                [.. times.Environment.Select(e => (IReadOnlyList<string>)[e.Key, e.Value])])]));
            var codes = times.Stages.Select(s => s.Code).Distinct().ToList();
            if (codes.Count > 1) blocks.Add(
                new Paragraph($"The stages were run by different builds of the program: {string.Join(", ", codes)}.", Tone.Bad));
        }
        return new Section("Every option, seed and hash", blocks);
    }

    private static IEnumerable<IReadOnlyList<string>> Rows(JsonObject options, string prefix) =>
        options.SelectMany(p => p.Value switch
    {
        JsonObject inner => Rows(inner, $"{prefix}{p.Key}."),
        JsonArray list => [[prefix + p.Key, string.Join(", ", list.Select(i => i?.ToString()))]],
        null => [[prefix + p.Key, "none"]],
        { } value => (IEnumerable<IReadOnlyList<string>>)[[prefix + p.Key, value.ToString()]],
    });

    private static string Kind(string kind) => StageKind.Named(kind)?.Working ?? kind;

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}
