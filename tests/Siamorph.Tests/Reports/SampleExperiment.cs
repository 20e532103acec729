using Siamorph.Evaluation.Statistics;
using Siamorph.Experiment;
using Siamorph.Experiment.Results;
using Siamorph.Imaging;
using Siamorph.Segmentation;
using Siamorph.Synthesis;

namespace Siamorph.Tests.Reports;

/// <summary>An invented result with everything a report shows.</summary>
internal static class SampleExperiment
{
    public const string NastyId = "<script>alert('x')</script>&\"quoted\"";

    public static ExperimentResult Result(string folder)
    {
        var random = new Seed(7).Random();
        int[] counts = [50, 200];
        var ids = Enumerable.Range(1, 97).Select(i => i == 13 ? NastyId : $"polyp-{i:000}").ToList();
        var skill = ids.Select(_ => random.Uniform(-0.5, 0.5)).ToList();
        var cells = new List<CellResult>();
        foreach (var n in counts)
            foreach (var seed in new ulong[] { 1, 2, 3 })
                foreach (var arm in new[] { "real", "real+synthetic" })
                {
                    var centre = (n == 50 ? 0.62 : 0.74) + (arm == "real" ? 0 : n == 50 ? 0.045 : 0.004) + random.Normal() * 0.01;
                    var images = ids.Select((id, i) => Math.Clamp(centre + 0.5 * skill[i] + random.Normal() * 0.08, 0, 0.98))
                        .Select((d, i) => new ImageScore(ids[i], d, d / (2 - d))).ToList();
                    cells.Add(new CellResult
                    {
                        Arm = arm,
                        RealCount = n,
                        SyntheticCount = arm == "real" ? 0 : n,
                        Seed = seed,
                        Stage = $"segment-{arm.Replace('+', '-')}-n{n}-seed{seed}-0a1b2c3d",
                        Outcome = Outcome(images, random),
                    });
                }
        var options = new ExperimentOptions { Data = "/data/kvasir <b>", RealCounts = counts, Corruptions = Corruption.Kinds };
        return new ExperimentResult
        {
            Version = "0.1.0",
            Options = options,
            Robustness = Robustness(options, cells, random),
            Data = Card(ids, random),
            Arms = [.. Arms.All.Take(2).Select(a => new ArmSummary(a.Name, a.Title, a.Description))],
            Cells = cells,
            Comparisons = [.. counts.Select(n => Compare(cells, n))],
            Generators = [.. counts.Select(n => Generator(n, random))],
            Gates = [.. counts.Select(n =>
                new GateResult(["gated"], n, [1, 2, 3], $"gate-n{n}-seed1-55667788", GateSelection.InOrder, new()
            {
                Candidates = 2 * n, Passed = 2 * n - 3, Kept = n, Reasons = new Dictionary<string, int>
                {
                    ["agreement"] = 2, ["outlier"] = 1,
                },
                Limits = new(0.7, 0.1, 20, 1.1, 0.01, 0.8, 3), RealAgreement = 0.93, CandidateAgreement = 0.95,
                WrongMasksRefused = 0.62, KeptDifficulty = 0.4,
            }))],
            Sheets = [.. counts.SelectMany(n => Sheets(folder, n, random)), CorruptedSheet(folder)],
        };
    }

    private static IReadOnlyList<RobustnessResult> Robustness(
        ExperimentOptions options, List<CellResult> cells, SeededRandom random) =>
        RobustnessAnalysis.Compare(options,
        [.. cells.Select(c => new RobustnessAnalysis.Scored(c,
            new([.. Corruption.Kinds.SelectMany(k => Enumerable.Range(1, 3).Select(s =>
        {
            var images = c.Outcome.Images.Select(i =>
                Math.Clamp(i.Dice - 0.03 * s * (1 + (int)k) / (c.Arm == "real" ? 1 : 2) + random.Normal() * 0.03, 0, 1)).ToList();
            return new CorruptedScores(k, s, images.Average(), images);
        }))])))], [.. cells[0].Outcome.Images.Select(_ => (string?)null)]);

    private static Sheet CorruptedSheet(string folder)
    {
        var (image, mask) = (Siamorph.Tests.Imaging.Pictures.Image(4, 64, 64), Siamorph.Tests.Imaging.Pictures.Disc(64, 64));
        ImageFile.WriteMaskPng(Path.Combine(folder, "sheets/corrupted/mask.png"), mask);
        var pictures = new List<SheetImage>();
        for (var strength = 0; strength <= Corruption.Strengths; strength++)
            foreach (var kind in Corruption.Kinds)
            {
                var file = $"sheets/corrupted/{kind}-{strength}.png";
                ImageFile.WritePng(Path.Combine(folder, file), strength == 0 ? image
                    : Corruption.Apply(image, kind, strength, new Seed(1)));
                pictures.Add(new($"{kind} {strength}", file, ["sheets/corrupted/mask.png"]));
            }
        return new Sheet("the test image polyp-007, corrupted", SheetKind.Corrupted, 0, pictures);
    }

    public static ExperimentTimes Times(ExperimentResult result) => new()
    {
        Stages =
        [
            .. result.Generators.Select(g =>
                new StageTime(g.Stage, "generator", 1810.4, "2025-01-01T10:00:00Z", false, "0.1.0+abc")),
            .. result.Generators.Select(g =>
                new StageTime(g.Stage.Replace("generator", "synthetic"), "synthesis", 48.1, "2025-01-01T10:01:00Z", false,
                "0.1.0+abc")),
            .. result.Cells.Select(c => new StageTime(c.Stage, "segmentation", 95.2, "2025-01-01T10:03:00Z", false, "0.1.0+abc")),
        ],
        Environment = new Dictionary<string, string> { ["processor"] = "AMD <EPYC>", ["cores used"] = "2", [".NET"] = "10.0.4" },
    };

    private static SegmentationOutcome Outcome(List<ImageScore> images, SeededRandom random) => new()
    {
        ModelHash = new string('a', 64),
        BestStep = 250,
        ValidationDice = images.Average(i => i.Dice) + 0.01,
        Dice = images.Average(i => i.Dice),
        Iou = images.Average(i => i.Iou),
        MeanDice = images.Average(i => i.Dice) - 0.02,
        MeanIou = images.Average(i => i.Iou) - 0.02,
        Loss = Curve("loss", 12, i => 1.4 * Math.Exp(-i / 4.0) + 0.3 + 0.03 * random.NextDouble(), 50),
        Validation = Curve("validation Dice", 12, i => 0.7 - 0.6 * Math.Exp(-i / 2.5) + 0.03 * random.NextDouble(), 50),
        Images = images,
    };

    private static Curve Curve(string name, int points, Func<int, double> value, int step)
        => new(name, [.. Enumerable.Range(1, points).Select(i => (long)i * step)],
        [.. Enumerable.Range(1, points).Select(value)]);

    private static Comparison Compare(List<CellResult> cells, int n)
    {
        double[][] Scores(string arm) =>
            [.. cells.Where(c => c.Arm == arm && c.RealCount == n).Select(c => c.Outcome.Images.Select(i => i.Dice).ToArray())];
        var (a, b) = (Scores("real"), Scores("real+synthetic"));
        var differences = a.Zip(b, (x, y) => (IReadOnlyList<double>)[.. x.Zip(y, (p, q) => q - p)]).ToList();
        var (low, high, units) = PairedComparison.Interval(differences, new string?[97], 2000, new Seed(1));
        return new Comparison
        {
            RealCount = n,
            Baseline = "real",
            Arm = "real+synthetic",
            BaselineDice = a.Average(x => x.Average()),
            ArmDice = b.Average(x => x.Average()),
            Difference = differences.Average(d => d.Average()),
            Low = low,
            High = high,
            PerSeed = [.. differences.Select(d => d.Average())],
            Images = 97,
            Units = units,
        };
    }

    private static GeneratorResult Generator(int n, SeededRandom random) => new()
    {
        Arms = ["real+synthetic"],
        RealCount = n,
        Seeds = [1, 2, 3],
        Stage = $"generator-n{n}-seed1-11223344",
        Outcome = new GeneratorOutcome
        {
            ModelHash = new string('b', 64),
            Parameters = 6_400_000,
            Stages =
            [
                new("base", [Curve("base loss", 150, i => 2 * Math.Exp(-i / 20.0) + 0.25 + 0.1 * random.NextDouble(), 4)]),
                new("siamese",
                [
                    Curve("mask loss", 100, i => 0.5 * Math.Exp(-i / 30.0) + 0.2 + 0.08 * random.NextDouble(), 3),
                    Curve("image loss", 100, i => 0.4 * Math.Exp(-i / 25.0) + 0.15 + 0.06 * random.NextDouble(), 3),
                    Curve("consistency loss", 100, i => 0.05 * Math.Exp(-i / 40.0) + 0.01 + 0.006 * random.NextDouble(), 3),
                    Curve("augmentation loss", 100, i => i < 34 ? 0 : 0.05 + 0.02 * random.NextDouble(), 3),
                ]),
            ],
        },
    };

    private static DataCard Card(List<string> testIds, SeededRandom random) => new()
    {
        Name = "kvasir <b>",
        ContentHash = new string('c', 64),
        SplitOrigin = "Drawn with seed 1; pairs of one group and near-duplicates are kept on one side.",
        Splits = new Dictionary<string, int> { ["train"] = 200, ["val"] = 50, ["test"] = 97 },
        Groups = new Dictionary<string, int> { ["train"] = 0, ["val"] = 0, ["test"] = 0 },
        Sizes = [new("622×529", 280), new("1280×1024", 67)],
        Pairs =
        [
            .. Enumerable.Range(0, 250).Select(i =>
                new PairFacts($"p{i}", i < 200 ? "train"
                : "val", null, Math.Min(0.8, -0.15 * Math.Log(1 - random.NextDouble())))),
            .. testIds.Select(id => new PairFacts(id, "test", null, Math.Min(0.8, -0.15 * Math.Log(1 - random.NextDouble())))),
        ],
        Findings = ["Warning: masks/a.jpg: mask has 4 % grey pixels from JPEG; taken as lesion above 127.",
            "Warning: images/<i>.png: near-duplicate of images/b.png."],
    };

    private static IEnumerable<Sheet> Sheets(string folder, int n, SeededRandom random)
    {
        yield return Pictures(folder, $"{n} real training pairs", SheetKind.Real, n, 16, 1, random);
        yield return Pictures(folder, $"synthetic pairs made from {n} real ones (real + synthetic)", SheetKind.Synthetic, n,
            24, 1, random);
        yield return Pictures(folder, $"test images that lost and gained most ({n} real pairs, seed 1)", SheetKind.Prediction, n,
            8, 3, random);
    }

    private static Sheet Pictures(string folder, string title, SheetKind kind, int n, int count, int masks, SeededRandom random)
    {
        var pictures = new List<SheetImage>();
        for (var i = 0; i < count; i++)
        {
            var stem = $"sheets/{kind}-{n}/{i:00}";
            var files = new List<string>();
            var (cx, cy) = (random.Uniform(20, 44), random.Uniform(20, 44));
            for (var m = 0; m < masks; m++)
            {
                var mask = Blob(cx + 3 * m, cy, random.Uniform(8, 16));
                if (m == 0) ImageFile.WritePng(Path.Combine(folder, stem + ".png"), Scene(mask));
                ImageFile.WriteMaskPng(Path.Combine(folder, $"{stem}-{m}.png"), mask);
                files.Add($"{stem}-{m}.png");
            }
            pictures.Add(new(masks == 1 ? $"polyp-{i:000}" : $"polyp-{i:000}: Dice 0.41 → 0.77", stem + ".png", files));
        }
        return new Sheet(title, kind, n, pictures);
    }

    private static LabelMap Blob(double cx, double cy, double radius)
    {
        var mask = new LabelMap(new ImageSize(64, 64));
        for (var y = 0; y < 64; y++)
            for (var x = 0; x < 64; x++)
                if (Math.Pow((x - cx) / radius, 2) + Math.Pow((y - cy) / (0.7 * radius), 2) < 1
                    + 0.2 * Math.Sin(3 * Math.Atan2(y - cy, x - cx)))
                    mask.Labels[y * 64 + x] = 1;
        return mask;
    }

    private static RgbImage Scene(LabelMap mask)
    {
        var image = new RgbImage(mask.Size);
        for (var i = 0; i < mask.Labels.Length; i++)
        {
            var light = 1 - 0.6 * (Math.Pow((i % 64 - 32) / 40.0, 2) + Math.Pow((i / 64 - 32) / 40.0, 2))
                + (mask.Labels[i] != 0 ? 0.25 : 0);
            double[] colour = [200, 110, 90];
            for (var c = 0; c < 3; c++) image.Pixels[3 * i + c] = (byte)Math.Clamp(colour[c] * light, 0, 255);
        }
        return image;
    }
}
