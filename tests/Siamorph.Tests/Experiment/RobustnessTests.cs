using Siamorph.Experiment;
using Siamorph.Experiment.Results;
using Siamorph.Imaging;
using Siamorph.Reports;
using Siamorph.Segmentation;

namespace Siamorph.Tests.Experiment;

public sealed class RobustnessTests(ExperimentRunnerTests.TinyPhantom phantom)
    : IClassFixture<ExperimentRunnerTests.TinyPhantom>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_WithCorruptions_TestsEveryNetworkOnThem_AndComparesArms()
    {
        var runner = new FakeStageRunner();
        var result = Run("x", Options, runner);
        Assert.Equal(4, runner.Ran.Count(s => s.StartsWith("robustness-", StringComparison.Ordinal)));
        Assert.Equal(2 * (1 + 2 * 3), result.Robustness.Count);
        Assert.All(result.Robustness, r => Assert.Equal(r.Arm == "real", r.Difference is null));
        Assert.All(result.Robustness.Select(r => r.Difference).OfType<ArmDifference>(),
            d => Assert.InRange(d.Mean, d.Low, d.High));
        var all = result.Robustness.Single(r => r.Corruption is null && r.Arm == "real");
        Assert.Equal(result.Robustness.Where(r => r.Corruption is not null && r.Arm == "real").Average(r => r.Dice),
            all.Dice, 1e-5);
        Assert.Equal(result.Cells.Where(c => c.Arm == "real").Average(c => c.Outcome.Dice), all.CleanDice, 1e-5);
        var sheet = Assert.Single(result.Sheets, s => s.Kind == SheetKind.Corrupted);
        Assert.Equal(2 * 4, sheet.Pictures.Count);
        Assert.All(sheet.Pictures, p => Assert.True(File.Exists(_folder["x", p.Image])));
    }

    [Fact]
    public void Run_WithCorruptionsAddedLater_TrainsNothingAgain_AndChangesNoOtherResult()
    {
        var plain = Run("x", Options with { Corruptions = [] }, new FakeStageRunner());
        Assert.Empty(plain.Robustness);
        var later = new FakeStageRunner();
        var result = Run("x", Options, later);
        Assert.All(later.Ran, s => Assert.StartsWith("robustness-", s, StringComparison.Ordinal));
        Assert.Equal(plain.Comparisons.Select(c => (c.Difference, c.Low, c.High)),
            result.Comparisons.Select(c => (c.Difference, c.Low, c.High)));
    }

    [Fact]
    public void Run_WithOtherNetworks_TestsThemOnTheSameCorruptedImages()
    {
        var runner = new FakeStageRunner();
        var result = Run("x", Options with { OtherNetworks = ["segformer-compact"] }, runner);
        Assert.Equal(8, runner.Ran.Count(s => s.StartsWith("robustness-", StringComparison.Ordinal)));
        var other = Assert.Single(result.OtherNetworks);
        Assert.Equal(result.Robustness.Select(r => (r.Arm, r.Corruption, r.Strength)),
            other.Robustness.Select(r => (r.Arm, r.Corruption, r.Strength)));
        Assert.Equal(other.Cells.Where(c => c.Arm == "real").Average(c => c.Outcome.Dice), other.Robustness[0].CleanDice, 1e-5);
        ExperimentReport.Write(_folder["x"]);
        var networks = File.ReadLines(_folder["x", "robustness.csv"]).Skip(1).Select(line => line.Split(',')[0]);
        Assert.Equal(["unet", "segformer-compact"], networks.Distinct());
    }

    [Fact]
    public void Compare_FindsTheArmThatHoldsUnderCorruption()
    {
        // Equal on clean images; under corruption one arm loses 0.1, the other 0.3.
        var random = new Seed(3).Random();
        var scored = new List<RobustnessAnalysis.Scored>();
        foreach (var seed in Options.Seeds)
            foreach (var arm in Options.Arms)
            {
                var images = Enumerable.Range(0, 40).Select(i => new ImageScore($"i{i}", 0.8, 0.7)).ToList();
                var cell = new CellResult
                {
                    Arm = arm, RealCount = 8, SyntheticCount = 0, Seed = seed, Stage = "s",
                    Outcome = new()
                    {
                        ModelHash = "", BestStep = 1, ValidationDice = 0.8, Dice = 0.8, Iou = 0.7, MeanDice = 0.8, MeanIou = 0.7,
                        Loss = new("l", [], []), Validation = new("v", [], []), Images = images,
                    },
                };
                scored.Add(new(cell, new([.. new[] { 1, 2, 3 }.Select(strength =>
                {
                    var dice = images.Select(i => i.Dice - (arm == "real" ? 0.3 : 0.1) * strength / 3
                        + 0.05 * random.Normal()).ToList();
                    return new CorruptedScores(CorruptionKind.Noise, strength, dice.Average(), dice);
                })])));
            }
        var results = RobustnessAnalysis.Compare(Options, scored, new string?[40]);
        foreach (var strength in new[] { 1, 2, 3 })
        {
            var d = results.Single(r => r.Strength == strength && r.Arm != "real").Difference!;
            Assert.Equal(0.2 * strength / 3, d.Mean, 0.02);
            Assert.True(d.Low > 0);
        }
        Assert.Equal(0.2 * 2 / 3, results.Single(r => r.Corruption is null && r.Arm != "real").Difference!.Mean, 0.02);
    }

    private ExperimentOptions Options => new()
    {
        Data = phantom.Folder,
        RealCounts = [8],
        Seeds = [1, 2],
        Segmentation = new SegmentationOptions { ImageSize = new(16, 16) },
        Corruptions = [CorruptionKind.Blur, CorruptionKind.Noise],
        BootstrapDraws = 500,
    };

    private ExperimentResult Run(string name, ExperimentOptions options, FakeStageRunner runner)
        => ExperimentRunner.Run(options, _folder[name], NullMonitor.Instance, runner);
}
