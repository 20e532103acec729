using System.Globalization;
using Siamorph.Evaluation.Statistics;
using Siamorph.Experiment;
using Siamorph.Experiment.Results;
using Siamorph.Reports;

namespace Siamorph.Tests.Experiment;

/// <summary>Experiments whose answer is known, made of scores alone: no network is trained here.</summary>
public sealed class AnalysisTests
{
    private static readonly string[] Arms = ["real", "real+synthetic", "wrong-masks"];

    public static TheoryData<ulong> MasterSeeds => [11, 22, 33, 44, 55];

    [Theory]
    [MemberData(nameof(MasterSeeds))]
    public void Answer_WherePairsHelp_SaysSo_AndThatTheControlHolds(ulong master)
    {
        var answer = Answer(Toy(master, helps: 0.06, wrong: -0.05));
        Assert.Contains("With 100 real images, real + synthetic raises test Dice by", answer[0], StringComparison.Ordinal);
        Assert.Contains("95\u00A0% interval +", answer[0], StringComparison.Ordinal);
        Assert.Contains(answer, line => line.StartsWith("The control holds: wrong masks cost", StringComparison.Ordinal));
        Assert.Contains(answer, line =>
            line.StartsWith("Per 100 test images, missed lesions went from", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(MasterSeeds))]
    public void Answer_WherePairsHarm_SaysSo(ulong master)
        => Assert.Contains("lowers test Dice by", Answer(Toy(master, helps: -0.06, wrong: -0.1))[0], StringComparison.Ordinal);

    [Theory]
    [MemberData(nameof(MasterSeeds))]
    public void Answer_WhereNothingChanges_NeverClaimsHelp(ulong master)
    {
        var result = Toy(master, helps: 0, wrong: -0.08);
        Assert.NotEqual(Verdict.Higher, result.Comparisons[0].Verdict);
        Assert.Contains("there is no evidence that real + synthetic changes test Dice", Answer(result)[0],
            StringComparison.Ordinal);
        Assert.True(result.Comparisons[0].Statistics!.MinimumDetectable > 0);
    }

    [Theory]
    [MemberData(nameof(MasterSeeds))]
    public void Answer_WhereWrongMasksDoNotHurt_SaysThatTheMeasurementIsBlind(ulong master)
        => Assert.StartsWith("The experiment is blind", Answer(Toy(master, helps: 0.06, wrong: 0.07))[0],
        StringComparison.Ordinal);

    [Fact]
    public void Answer_WhereWrongMasksHarm_ButRightOnesMayHarmAsMuch_CallsTheControlUndecided()
    {
        var undecided = 0;
        foreach (var master in Enumerable.Range(1, 8).Select(m => (ulong)m))
        {
            var result = Toy(master, helps: -0.075, wrong: -0.08);
            if (result.Controls[0].Hurts || result.Comparisons[1].Verdict != Verdict.Lower) continue;
            undecided++;
            var answer = Answer(result);
            Assert.DoesNotContain(answer, line => line.Contains("blind", StringComparison.Ordinal));
            Assert.Contains(answer, line =>
                line.StartsWith("The control is undecided: wrong masks lower the score against real only",
                StringComparison.Ordinal));
        }
        Assert.InRange(undecided, 3, 8);
    }

    [Fact]
    public void Answer_WhereOnePartOfTheImagesLoses_NamesIt()
    {
        var result = Toy(7, helps: 0.05, wrong: -0.1, small: -0.2);
        Assert.Contains(Answer(result),
            line => line.StartsWith("Not all images gain. The score falls for: lesion size small", StringComparison.Ordinal));
        Assert.Contains(result.Comparisons[0].Statistics!.Subgroups, s => s.Kind == "centre" && s.Name == "B");
    }

    [Fact]
    public void Compare_CorrectsTheSecondaryComparisons_NotThePrimaryOne()
    {
        var comparisons = Toy(5, helps: 0.06, wrong: -0.05).Comparisons;
        Assert.True(comparisons[0].Statistics!.Primary);
        Assert.Null(comparisons[0].Statistics!.AdjustedP);
        Assert.True(comparisons[1].Statistics!.AdjustedP >= comparisons[1].Statistics!.WilcoxonP);
    }

    [Fact]
    public void Estimate_OfEfronsMice_HasTheirStandardError()
    {
        // Survival of seven treated mice, Efron and Tibshirani (1993), table 2.1: mean 86.86, standard error 25.24 by the
        // formula,
        // 23.36 by the bootstrap without limit, which lacks the factor n / (n − 1).
        double[] mice = [94, 197, 16, 38, 99, 141, 23];
        var estimate = PairedComparison.Estimate([mice], new string?[7], 4000, new Seed(1));
        Assert.Equal(86.86, estimate.Difference, 0.005);
        Assert.Equal(25.24, estimate.StandardError, 0.005);
        Assert.Equal(6, estimate.DegreesOfFreedom, 9);
        var (low, high, _) = PairedComparison.Interval([mice], new string?[7], 20_000, new Seed(1));
        Assert.Equal(2 * 1.96 * 23.36, high - low, 4.0);
        Assert.True(estimate.High - estimate.Low > high - low);
    }

    [Fact]
    public void Estimate_OfOneUnitOrEqualScores_IsAPoint()
    {
        var estimate = PairedComparison.Estimate([[0.1, 0.1], [0.1, 0.1]], [null, null], 200, new Seed(1));
        Assert.Equal((0.1, 0.1), (Math.Round(estimate.Low, 9), Math.Round(estimate.High, 9)));
    }

    [Fact]
    public void Helps_OnANullExperiment_IsSaidAtMostFiveTimesInAHundred()
    {
        // Twelve networks of one and the same arm (real pairs alone, other seeds), scored on 48 test images of the phantom. Five
        // of them play the baseline, five others the arm, on test images drawn anew: whatever is found is chance.
        var recorded = File.ReadAllLines(
            Path.Combine(SharedMaterial.RepositoryRoot, "tests", "Siamorph.Tests", "Experiment", "recorded-dice.csv"))
            .Select(line => line.Split(',').Select(v => double.Parse(v, CultureInfo.InvariantCulture)).ToArray()).ToArray();
        int helps = 0, harms = 0;
        const int experiments = 500;
        for (var e = 0; e < experiments; e++)
        {
            var random = new Seed(2024).Derive(e).Random();
            var networks = random.Permutation(recorded.Length);
            var images = Enumerable.Range(0, recorded[0].Length).Select(_ => random.Next(recorded[0].Length)).ToArray();
            var differences = Enumerable.Range(0, 5)
                .Select(s => images.Select(i => recorded[networks[s]][i] - recorded[networks[5 + s]][i]).ToArray()).ToList();
            var estimate = PairedComparison.Estimate(differences, new string?[images.Length], 400, new Seed((ulong)e));
            if (estimate.Low > 0) helps++;
            if (estimate.High < 0) harms++;
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"helps {helps}, harms {harms} of {experiments}");
        Assert.InRange(helps, 0, experiments / 20);
        Assert.InRange(harms, 0, experiments / 20);
    }

    [Theory]
    [InlineData(5, 90, 0.7)]
    [InlineData(5, 90, 0)]
    [InlineData(5, 90, 1)]
    [InlineData(1, 90, 0.7)]
    [InlineData(5, 1, 0.7)]
    [InlineData(1, 1, 0.7)]
    [InlineData(1, 1, 0)]
    public void Answer_WhereNothingVaries_SaysThat_InWordsOfItsOwn(int seeds, int images, double dice)
        => AssertPlain(Flat(seeds, images, (_, _, _) => dice), "nothing can be concluded");

    [Theory]
    [InlineData(1, 90)]
    [InlineData(5, 1)]
    [InlineData(1, 1)]
    public void Answer_OfOneSeedOrOneImage_ClaimsNoPrecision(int seeds, int images)
        => AssertPlain(Flat(seeds, images, (arm, seed, i) => arm == 1 ? 0.7
        : 0.6 + 0.001 * (double)((seed + (ulong)i) % 7)), null);

    // Whatever the scores: sentences without empty numbers, and a page that can be written.
    private static void AssertPlain(ExperimentResult result, string? said)
    {
        using var folder = new TemporaryFolder();
        var answer = string.Join(' ', Answer(result));
        var html = File.ReadAllText(ExperimentReport.Write(result, null, folder.Path).Path);
        foreach (var bad in new[] { "NaN", "∞", "Infinity", "below 0.0 points", "1 seeds", "1 test images", "-0.0" })
        {
            Assert.DoesNotContain(bad, answer, StringComparison.Ordinal);
            Assert.DoesNotContain(bad, System.Text.RegularExpressions.Regex.Replace(html, "<[^>]*>|\"[^\"]*\"", " "),
                StringComparison.Ordinal);
        }
        if (said is not null) Assert.Contains(said, answer, StringComparison.Ordinal);
    }

    private static ExperimentResult Flat(int seeds, int images, Func<int, ulong, int, double> dice)
    {
        var toy = Toy(1, 0, 0);
        var options = toy.Options with { Seeds = [.. Enumerable.Range(1, seeds).Select(s => (ulong)s)] };
        var card = toy.Data with { Pairs = [.. toy.Data.Pairs.Take(images)] };
        List<CellResult> cells = [.. toy.Cells.Where(c => options.Seeds.Contains(c.Seed)).Select(c => c with
        {
            Outcome = c.Outcome with
            {
                Images = [.. c.Outcome.Images.Take(images)
                    .Select((s, i) => new ImageScore(s.Id, dice(Array.IndexOf(Arms, c.Arm), c.Seed.Value, i), 0.5, 1, 0, 0))],
                Dice = Enumerable.Range(0, images).Average(i => dice(Array.IndexOf(Arms, c.Arm), c.Seed.Value, i)),
            },
        })];
        return toy with
        {
            Options = options, Data = card, Cells = cells, Comparisons = Analysis.Compare(options, cells, card),
            Controls = Analysis.Controls(options, cells, card),
        };
    }

    [Theory]
    [InlineData(new[] { 0.2, 0.4, 0.5, 0.55 }, false, true)]   // still rising
    [InlineData(new[] { 0.2, 0.5, 0.505, 0.5 }, false, false)] // flat in its last half
    [InlineData(new[] { 0.2, 0.5, 0.505, 0.5 }, true, true)]   // but stronger augmentation harms
    [InlineData(new[] { 0.5 }, false, false)]                  // nobody looked
    public void NetworksThatAreNotTrainedEnough_GetNoVerdict(double[] curve, bool classicalHarms, bool alarm)
    {
        var toy = Toy(1, helps: 0.06, wrong: -0.05);
        List<CellResult> cells = [.. toy.Cells.Select(c => c with
        {
            Outcome = c.Outcome with { Validation = new("Dice", [.. curve.Select((_, i) => (long)(i + 1) * 100)], curve) },
        })];
        if (classicalHarms) cells.AddRange(cells.Where(c => c.Arm == "real").ToList().Select(c => c with
        {
            Arm = "classical", Outcome = c.Outcome with { Dice = c.Outcome.Dice - 0.03 },
        }));
        var classical = Siamorph.Experiment.Arms.Classical;
        var result = toy with
        {
            Arms = [.. toy.Arms, new ArmSummary(classical.Name, classical.Title, classical.Description)], Cells = cells,
            Undertrained = Undertraining.Alarm(toy.Arms, cells),
        };
        Assert.Equal(alarm, result.Undertrained is not null);
        var answer = string.Join(' ', Answer(result));
        Assert.Equal(alarm, answer.Contains("not trained enough, so there is no verdict", StringComparison.Ordinal));
        Assert.Equal(!alarm, answer.Contains("raises test Dice", StringComparison.Ordinal));
    }

    private static IReadOnlyList<string> Answer(ExperimentResult result) =>
        ExperimentReport.Document(result, null, "nowhere").Answer;

    // Scores as they come about: an image is easy or hard, a network good or bad, and the rest is chance.
    private static ExperimentResult Toy(ulong master, double helps, double wrong, double? small = null)
    {
        var random = new Seed(master).Random();
        const int images = 90;
        var ease = Enumerable.Range(0, images).Select(_ => random.Uniform(0.35, 0.85)).ToArray();
        var facts = Enumerable.Range(0, images)
            .Select(i => new PairFacts($"t{i}", "test", null, 0.01 + 0.002 * i, i % 2 == 0 ? "A" : "B")).ToList();
        var options = new ExperimentOptions
        {
            Data = "toy", Arms = Arms, RealCounts = [100], Seeds = [1, 2, 3, 4, 5], BootstrapDraws = 1000,
        };
        var cells = new List<CellResult>();
        foreach (var seed in options.Seeds)
            foreach (var arm in Arms)
            {
                var network = 0.012 * random.Normal();
                var scores = Enumerable.Range(0, images).Select(i =>
                {
                    var effect = arm switch { "real" => 0, "real+synthetic" => i < images / 3
                        && small is { } s ? s : helps, _ => wrong };
                    var dice = Math.Clamp(ease[i] + network + effect + 0.06 * random.Normal(), 0, 1);
                    return new ImageScore($"t{i}", dice, dice / (2 - dice), 1, dice < 0.3 ? 1 : 0, dice < 0.5 ? 1 : 0);
                }).ToList();
                cells.Add(new CellResult
                {
                    Arm = arm, RealCount = 100, SyntheticCount = arm == "real" ? 0 : 100, Seed = seed, Stage = $"{arm}{seed}",
                    Outcome = new SegmentationOutcome
                    {
                        ModelHash = "x", BestStep = 1, ValidationDice = 0.5, Dice = scores.Average(s => s.Dice), Iou = 0.5,
                        MeanDice = 0.5, MeanIou = 0.5,
                        Loss = new("loss", [1], [1]), Validation = new("Dice", [1], [0.5]), Images = scores,
                    },
                });
            }
        var card = new DataCard
        {
            Name = "toy", ContentHash = "x", SplitOrigin = "x", Splits = new Dictionary<string, int>
            {
                ["train"] = 0, ["val"] = 0, ["test"] = images,
            },
            Groups = new Dictionary<string, int>
            {
                ["train"] = 0, ["val"] = 0, ["test"] = 0,
            }, Sizes = [], Pairs = facts, Findings = [],
        };
        return new ExperimentResult
        {
            Version = "0", Options = options, Data = card,
            Arms = [.. Arms.Select(Siamorph.Experiment.Arms.Named).Select(a => new ArmSummary(a.Name, a.Title, a.Description))],
            Cells = cells, Comparisons = Analysis.Compare(options, cells, card),
            Controls = Analysis.Controls(options, cells, card), Generators = [], Sheets = [],
        };
    }
}
