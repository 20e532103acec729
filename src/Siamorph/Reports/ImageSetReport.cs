using System.Globalization;
using Siamorph.Evaluation.ImageSets;
using Siamorph.Reports.Charts;
using Siamorph.Segmentation;
using Siamorph.Training;

namespace Siamorph.Reports;

/// <summary>Compares two sets of images and writes the result as a page and as JSON.</summary>
internal static class ImageSetReport
{
    private const int Bars = 24, Shown = 8;

    /// <summary>Compares the sets; writes results.json and evaluation.html where a folder is given.</summary>
    /// <param name="real">Folder of real images, with or without masks.</param>
    /// <param name="synthetic">Folder of synthetic images.</param>
    /// <param name="options">Weight files and numbers.</param>
    /// <param name="folder">Where to write, or null.</param>
    /// <param name="monitor">Sees the stages and may stop.</param>
    /// <exception cref="SiamorphException">A folder, image or weight file can't be used, or the folder can't be
    /// written.</exception>
    public static ImageSetEvaluation Run(
        string real, string synthetic, ImageEvaluationOptions options, string? folder, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        using var predictor = options.Segmenter.Length > 0
            ? Predictor.Load(options.Segmenter, Placement.On(options.Device)) : null;
        var result = ImageSetEvaluator.Evaluate(real, synthetic, options, predictor is null ? null : predictor.Predict, monitor);
        if (folder is null) return result;
        OptionsFile.Save(Path.Combine(folder, "results.json"), result);
        HtmlReport.Write(Path.Combine(folder, "evaluation.html"), Document(result));
        return result;
    }

    /// <summary>A value with four decimals at most; a dash where it was not computed.</summary>
    public static string Cell(double? value)
    {
        if (value is not { } v || !double.IsFinite(v)) return "–";
        var text = v.ToString("0.####", CultureInfo.InvariantCulture);
        return text == "-0" ? "0" : text;
    }

    internal static ReportDocument Document(ImageSetEvaluation result)
    {
        var computed = result.Measures.Where(m => m.Value is not null).ToList();
        SetMetric? First(params string[] names) =>
            names.Select(n => computed.Find(m => m.Name.StartsWith(n, StringComparison.Ordinal)))
            .FirstOrDefault(m => m is not null);
        var distance = First("FID", "KID", "FRD-lite")!;
        SetMetric?[] keys = [First("FID", "Fréchet"), First("KID"), First("FRD-lite"), First("Coverage", "Radiomic Coverage")];
        return new()
        {
            Title = "How close are these images to real ones?",
            Overline =
                $"{result.Synthetic} ({Format.Count(result.SyntheticCount, "image")}) against {result.Real} ({result.RealCount})",
            Answer =
            [
                $"{distance.Name}: {Cell(distance.Value)}.",
                "A distance is meaningful only in comparison: run the same command with one half of the real images as "
                    + "\"synthetic\" to see how real images score.",
            ],
            KeyFigures = [.. keys.OfType<SetMetric>()
                .Select(m => new KeyFigure(m.Name, Format.Significant(m.Value!.Value), Direction(m)))],
            Sections =
            [
                new("Metrics", [Measures(computed), .. NotComputed(result.Measures),
                    new BulletList([.. result.Networks.Count > 0 ? result.Networks
                        : ["No weight files were given, so network-based metrics are not computed."]])]),
                new("Features", [.. Figures(result)]),
                .. result.Morphology.Count > 0 ? new[] { Morphology(result) } : [],
                Pictures(result),
                new("Speed", [new Table(["features", "computed", "known", "seconds", "images per second"],
                    [.. result.Speeds.Select(s => (IReadOnlyList<string>)[s.Name, Format.Integer(s.Computed),
                        Format.Integer(s.Known), Format.Significant(s.Seconds), s.Seconds > 0
                            ? Format.Significant((s.Computed + s.Known) / s.Seconds) : "–"])])]),
            ],
            Footer = "The same numbers: results.json.",
        };
    }

    private static string Direction(SetMetric measure) =>
        measure.Better switch { Better.Lower => "lower is better", Better.Higher => "higher is better", _ => "describes" };

    private static Table Measures(IReadOnlyList<SetMetric> measures) => new(["metric", "value", "better", "how"],
        [.. measures.Select(m => (IReadOnlyList<string>)[m.Name, Cell(m.Value),
            m.Better switch { Better.Lower => "lower", Better.Higher => "higher", _ => "" }, m.Note])]);

    private static IEnumerable<Block> NotComputed(IReadOnlyList<SetMetric> measures)
    {
        string[] missing = [.. measures.Where(m => m.Value is null).Select(m => $"{m.Name}: {m.Note}")];
        return missing.Length == 0 ? [] : [new CollapsedSection($"Not computed ({missing.Length})", [new BulletList(missing)])];
    }

    private static IEnumerable<Figure> Figures(ImageSetEvaluation result)
    {
        List<MapPoint> real = [.. result.Map.Where(p => !p.Synthetic)], synthetic = [.. result.Map.Where(p => p.Synthetic)];
        if (real.Count == 0) yield break;
        static NamedPoint[] Points(List<MapPoint> points) => [.. points.Select(p => new NamedPoint(p.Id, p.X, p.Y))];
        yield return new(new FeatureMapPlot
        {
            Label = "Real and synthetic images on the plane of their features' two largest principal components.",
            Real = Points(real), Synthetic = Points(synthetic),
        },
            $"Map of {result.MapOf}",
            "Sets that overlap look alike to these features; a synthetic cloud beside the real one, or much narrower, does not.",
            Wide: true);
        var top = result.Map.Max(p => p.NearestReal);
        (double, double)[] Shares(List<MapPoint> points) =>
            [.. Enumerable.Range(0, Bars).Select(i =>
                ((i + .5) * top / Bars, points.Count(p => Math.Min(Bars - 1, (int)(p.NearestReal / top * Bars)) == i) / (
                    double)points.Count))];
        if (top > 0)
        {
            yield return new(new LineChart
            {
                Label = "Distribution of the distance to the nearest other real image.",
                XTitle = $"distance to the nearest other real image ({result.MapOf})",
                YTitle = "share of the set",
                Series = [new("real", 0, Shares(real)), new("synthetic", 2, Shares(synthetic))],
            }, "How far from the nearest real image",
            "Synthetic to the left of real: copies. To the right of real: unlike any real image.");
        }
        double[] Sorted(List<MapPoint> points) => [.. points.Select(p => p.NearestReal).Order()];
        (double, double)[] Ranks(double[] values) => [.. values.Select((v, i) => (100.0 * (i + 1) / values.Length, v))];
        yield return new(new LineChart
        {
            Label = "Distance to the nearest real image over the images of each set, sorted.",
            XTitle = "per cent of the images",
            YTitle = "distance",
            Series = [new("real", 0, Ranks(Sorted(real))), new("synthetic", 2, Ranks(Sorted(synthetic)))],
        }, "The same over images", "Sorted from the nearest.");
    }

    private static Section Morphology(ImageSetEvaluation result) => new("Lesions", [
        new Table(["feature", "real median", "synthetic median", "Wasserstein distance", "Kolmogorov–Smirnov"],
            [.. result.Morphology.Select(m =>
                (IReadOnlyList<string>)[m.Name, Format.Significant(m.RealMedian), Format.Significant(m.SyntheticMedian),
                    Format.Significant(m.Wasserstein), Format.Significant(m.KolmogorovSmirnov)])])
        {
            Note = "Wasserstein distance in units of the real standard deviation; 0 is equal. Kolmogorov–Smirnov: the largest "
                + "difference of cumulative shares.",
        }]);

    private static Section Pictures(ImageSetEvaluation result)
    {
        Dictionary<string, SetImage> real = ById(result.Real), synthetic = ById(result.Synthetic);
        ImageSheet Sheet(string title, string caption, IEnumerable<string> ids, Dictionary<string, SetImage> images) =>
            new(title, caption, [.. ids.Where(images.ContainsKey).Take(Shown).Select(id => Tile(images[id]))]);
        var evenly = result.Map.Where(p => p.Synthetic).ToList();
        List<Block> blocks =
        [
            Sheet("Real", "An even selection of the set.", Even([.. real.Keys]), real),
            Sheet("Synthetic", "An even selection of the set.", Even([.. synthetic.Keys]), synthetic),
        ];
        if (evenly.Count > 0)
        {
            blocks.Add(Sheet("Synthetic, least like any real one", $"Farthest from their nearest real image in {result.MapOf}.",
                evenly.OrderByDescending(p => p.NearestReal).Select(p => p.Id), synthetic));
            blocks.Add(Sheet("Synthetic, nearest to a real one", "Check these for copies.",
                evenly.OrderBy(p => p.NearestReal).Select(p => p.Id), synthetic));
        }
        return new("Images", blocks);
    }

    private static ImageTile Tile(SetImage image)
    {
        var picture = image.Read();
        return InlineImages.Of(image.Id, picture, image.MaskPath is not null && image.ReadMask() is var m
            && m.Size == picture.Size ? [(m, 0)] : []);
    }

    private static Dictionary<string, SetImage> ById(string folder) =>
        ImageSet.Open(folder).Images.GroupBy(i => i.Id).ToDictionary(g => g.Key, g => g.First());

    private static IEnumerable<string> Even(IReadOnlyList<string> ids) => LineChart.Thinned(ids, Shown);
}
