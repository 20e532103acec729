using Siamorph.Experiment.Results;
using Siamorph.Reports.Charts;

namespace Siamorph.Reports.Sections;

/// <summary>The data card.</summary>
internal static class DataSection
{
    private const int ShownFindings = 30;

    public static Section Data(ExperimentResult result)
    {
        var data = result.Data;
        var blocks = new List<Block>
        {
            new Table(["split", "pairs", "groups", "mask covers (median)", "without lesion"],
                [.. data.Splits.Keys.Select(s => Row(data, s))])
            {
                Note = data.SplitOrigin + (data.Groups.Values.All(g => g == 0)
                    ? " Patients or sequences are not known for this dataset." : ""),
            },
            new Paragraph($"Image sizes: {string.Join(", ", data.Sizes.Take(5).Select(s => $"{s.Count} of {s.Size}"))}"
                + (data.Sizes.Count > 5 ? $" and {data.Sizes.Count - 5} more sizes" : "")
                + $". Networks see them at {result.Options.Segmentation.ImageSize}."),
            new Figure(new Histogram
            {
                Label = "How much of the image the masks cover.",
                XTitle = "share of the image in per cent",
                Values = [.. data.Pairs.Select(p => 100 * p.MaskShare)],
            }, "Size of the lesions", "Share of the image that the mask covers, all splits."),
            new Figure(new LineChart
            {
                Label = "Share of pairs whose mask covers at most so much of the image, a line for each split.",
                XTitle = "share of the image in per cent",
                YTitle = "per cent of the pairs up to there",
                Series = [.. data.Splits.Keys.Where(s => data.Splits[s] > 0)
                    .Select((s, i) => new LineSeries(SplitTitle(s), i + 1, Cumulative(data, s)))],
            }, "Lesion size by split",
            "Share of the pairs of each split with lesions up to a given size. The lines should be close together."),
        };
        foreach (var u in data.Unlabelled)
        {
            blocks.Add(new Paragraph($"Generators were also trained on {Format.Count(u.Count, "image")} without masks ("
                + $"{u.Name}), in base training only. "
                + (u.LeftOut.Count == 0 ? "None of them is a validation or test image or a near-duplicate of one."
                : $"{Format.Count(u.LeftOut.Count, "image was", "images were")} left out to keep the test set blind.")));
            if (u.LeftOut.Count > 0) blocks.Add(
                new CollapsedSection($"Left out of {u.Name}", [new BulletList([.. u.LeftOut.Take(ShownFindings)])]));
        }
        if (data.Findings.Count == 0) blocks.Add(new Paragraph("The data check found no errors or warnings.", Tone.Good));
        else blocks.Add(new CollapsedSection(
            $"The data check: {Format.Count(data.Findings.Count, "finding")}",
            [new BulletList([.. data.Findings.Take(ShownFindings),
                .. data.Findings.Count > ShownFindings
                ? new[] { $"and {data.Findings.Count - ShownFindings} more; siamorph data check lists them all" } : []])]));
        return new Section("Data", blocks);
    }

    private static string SplitTitle(string split) => split switch { "train" => "training", "val" => "validation", _ => split };

    private static IReadOnlyList<string> Row(DataCard data, string split)
    {
        var pairs = data.Pairs.Where(p => p.Split == split).ToList();
        var shares = pairs.Select(p => p.MaskShare).Order().ToList();
        return [SplitTitle(split), Format.Integer(pairs.Count), data.Groups[split] > 0 ? Format.Integer(data.Groups[split]) : "–",
            pairs.Count > 0 ? Format.Percent(shares[shares.Count / 2]) : "–", Format.Integer(pairs.Count(p => p.MaskShare == 0))];
    }

    private static (double X, double Y)[] Cumulative(DataCard data, string split)
    {
        var shares = data.Pairs.Where(p => p.Split == split).Select(p => p.MaskShare).Order().ToArray();
        return [(0, 0), .. Enumerable.Range(0, 61).Select(i => i * (shares.Length - 1) / 60).Distinct()
            .Select(i => (100 * shares[i], 100.0 * (i + 1) / shares.Length))];
    }
}
