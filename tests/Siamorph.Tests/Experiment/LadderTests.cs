using Siamorph.Experiment;
using Siamorph.Experiment.Results;
using Siamorph.Reports;
using Siamorph.Siamese;

namespace Siamorph.Tests.Experiment;

/// <summary>What each further need adds to the best that does without, from scores alone.</summary>
public sealed class LadderTests
{
    private static readonly Seed[] Seeds = [1, 2, 3, 4, 5];
    private static readonly string[] Names =
        ["real", "copy-paste", "mean-teacher", "pseudo-labels", "predicted-shapes", "wrong-masks", "continued"];

    [Fact]
    public void Steps_TakeTheBestOfEachNeedByValidation_AndMeasureItOnTheTestSplit()
    {
        // Copy-paste looks better on the test split, but validation prefers real pairs alone; wrong masks and longer training
        // take no part.
        var cells = Cells(
            validation: [0.62, 0.60, 0.68, 0.66, 0.70, 0.9, 0.9],
            test: [0.60, 0.63, 0.65, 0.70, 0.69, 0.9, 0.9]);
        var steps = ResourceAnalysis.Of(Options, cells, Card);
        Assert.Equal([ResourceNeeds.PairsAlone, ResourceNeeds.ImagesWithoutMasks, ResourceNeeds.GeneratorAndImages],
            steps.Select(s => s.Rung));
        Assert.Equal(["real", "mean-teacher", "predicted-shapes"], steps.Select(s => s.Arm));
        Assert.Equal([2, 2, 1], steps.Select(s => s.Candidates));
        Assert.Equal([null, "real", "mean-teacher"], steps.Select(s => s.Against));
        Assert.Equal(0.05, steps[1].Gain!.Mean, 0.01);
        Assert.Equal(0.04, steps[2].Gain!.Mean, 0.01);
        Assert.True(steps[2].Gain!.Low > 0);
    }

    [Fact]
    public void Steps_BesideABetterCheaperArm_AreMeasuredAgainstThatOne()
    {
        var steps = ResourceAnalysis.Of(Options,
            Cells([0.70, 0.60, 0.68, 0.66, 0.69, 0, 0], [0.70, 0.60, 0.68, 0.66, 0.69, 0, 0]), Card);
        Assert.Equal([null, "real", "real"], steps.Select(s => s.Against));
        Assert.True(steps[2].Gain!.Mean < 0);
    }

    [Fact]
    public void Report_SaysWhetherAGeneratorPays_BesideTheBestThatNeedsNone()
    {
        var result = Result(Cells([0.62, 0.60, 0.68, 0.66, 0.72, 0.4, 0.6], [0.60, 0.61, 0.65, 0.64, 0.72, 0.4, 0.6]));
        var document = ExperimentReport.Document(result, null, "nowhere");
        var line = Assert.Single(document.Answer, a => a.Contains("the best arm that needs less", StringComparison.Ordinal));
        Assert.Contains("compared with real + mean teacher", line, StringComparison.Ordinal);
        Assert.EndsWith("it helps.", line, StringComparison.Ordinal);
        Assert.Contains(document.Sections, s => s.Title == "What each resource adds");
        var silent = ExperimentReport.Document(result with
        {
            Undertrained = "These networks are not trained enough, so there is no verdict.",
        }, null, "nowhere");
        Assert.DoesNotContain(silent.Answer, a => a.Contains("the best arm that needs less", StringComparison.Ordinal));
    }

    [Fact]
    public void Strengths_OfOneStart_AreOrdered_AndASingleOneIsNone()
    {
        var options = Options with { Arms = ["real", "copy-paste", "harmonised", "edited"] };
        List<CellResult> cells = [.. options.Arms.SelectMany((a, i) => Seeds.Select(s => Cell(a, s, 0.5, 0.5 + 0.01 * i)))];
        var points = StrengthAnalysis.Of(options, cells);
        Assert.Equal([(0, "copy-paste"), (0.35, "harmonised")], points.Select(p => (p.Strength, p.Arm)));
        Assert.All(points, p => Assert.Equal("paste", p.Start));
        Assert.Equal(0.52, points[1].Dice, 1e-6);
    }

    private static ExperimentOptions Options => new()
    {
        Data = "data", RealCounts = [25], Seeds = Seeds, Arms = Names, Primary = new()
        {
            Arm = "predicted-shapes", RealCount = 25,
        }, BootstrapDraws = 500,
        Generator = Presets.Tiny with { Unlabelled = "more" },
    };

    private static DataCard Card { get; } = new()
    {
        Name = "data", ContentHash = "h", SplitOrigin = "manifest", Splits = new Dictionary<string, int>
        {
            ["train"] = 25, ["val"] = 10, ["test"] = 60,
        }, Groups = new Dictionary<string, int> { ["train"] = 0, ["val"] = 0, ["test"] = 0 }, Sizes = [], Findings = [],
        Pairs = [new("t", "train", null, 0.1), new("v", "val", null, 0.1),
            .. Enumerable.Range(0, 60).Select(i => new PairFacts($"i{i}", "test", null, 0.1))],
    };

    private static List<CellResult> Cells(double[] validation, double[] test) =>
        [.. Names.SelectMany((arm, i) => Seeds.Select(seed => Cell(arm, seed, validation[i], test[i])))];

    private static CellResult Cell(string arm, Seed seed, double validation, double test)
    {
        var random = seed.Derive(arm).Random();
        var images = Enumerable.Range(0, 60).Select(i => test + 0.02 * random.Normal()).ToList();
        var shift = test - images.Average();
        return new()
        {
            Arm = arm, RealCount = 25, Seed = seed, SyntheticCount = 0, Stage = arm,
            Outcome = new()
            {
                ModelHash = "m", BestStep = 1, ValidationDice = validation, Dice = test, Iou = test, MeanDice = test,
                MeanIou = test,
                Loss = new("loss", [1], [1]), Validation = new("Dice", [1], [validation]),
                Images = [.. images.Select((d, i) => new ImageScore($"i{i}", d + shift, 0.5))],
            },
        };
    }

    private static ExperimentResult Result(List<CellResult> cells) => new()
    {
        Version = "0", Options = Options, Data = Card,
        Arms = [.. Names.Select(n => Arms.Named(n)).Select(a => new ArmSummary(a.Name, a.Title, a.Description))],
        Cells = cells, Comparisons = Analysis.Compare(Options, cells, Card), Ladder = ResourceAnalysis.Of(Options, cells, Card),
        Generators = [], Sheets = [],
    };
}
