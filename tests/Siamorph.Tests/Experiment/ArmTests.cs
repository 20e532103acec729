using System.Text.Json.Nodes;
using Siamorph.Data;
using Siamorph.Experiment;
using Siamorph.Imaging;
using Siamorph.Synthesis;
using Siamorph.Training;

namespace Siamorph.Tests.Experiment;

public sealed class ArmTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_OfEveryArmThereIs_GivesEachTheSameStepsAndSplits_AndWhatItsNameSays()
    {
        var runner = new FakeStageRunner();
        var options = Options() with { Arms = [.. Arms.All.Where(a => !a.NeedsUnlabelled).Select(a => a.Name)], Seeds = [1] };
        var result = ExperimentRunner.Run(options, _folder["x"], NullMonitor.Instance, runner);
        Assert.Equal(Arms.All.Count - 2, runner.Segmentations.Count);
        Assert.Single(runner.Segmentations.Select(s => (s.Work.Options.Steps, s.Work.Options.BatchSize, s.Work.Options.ValidateEvery, s.Work.Options.Seed)).Distinct());
        Assert.Single(runner.Segmentations.Select(s => s.Work.Test).Distinct());
        (int Real, int Added) Counts(string arm)
        {
            var train = runner.Segmentations.Single(s => s.Folder.Contains($"segment-{new string([.. arm.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')])}-n", StringComparison.Ordinal)).Work.Train;
            return (train.Count(p => p.Source == PairSource.Real), train.Count(p => p.Source == PairSource.Synthetic));
        }
        Assert.Equal((8, 0), Counts("real"));
        Assert.Equal((8, 8), Counts("real+synthetic"));
        Assert.Equal((8, 8), Counts("duplicated"));
        Assert.Equal((8, 0), Counts("classical"));
        Assert.Equal((8, 8), Counts("gated"));
        Assert.Equal((8, 8), Counts("gated-hard"));
        Assert.Equal((0, 8), Counts("synthetic-only"));
        Assert.Equal((8, 2), Counts("ratio-0.25"));
        Assert.Equal((8, 24), Counts("ratio-3"));
        Assert.All(new[] { "warp-only", "copy-paste", "edited", "harmonised", "inpainted", "second-hint" }, a => Assert.Equal((8, 8), Counts(a)));
        Assert.Equal(4, runner.Generators.Count); // the whole, and three ablations
        Assert.Equal(0, runner.Generators.Single(g => g.Options.Losses.Image == 0).Options.Losses.Consistency);
        Assert.Equal([(8, GateSelection.InOrder), (8, GateSelection.Difficulty)], result.Gates.Select(g => (g.Outcome.Kept, g.Selection)));
        Assert.Single(result.Sheets, s => s.Kind == SheetKind.Refused);
        Assert.Equal(8, result.Cells.Single(c => c.Arm == "gated").SyntheticCount);
    }

    [Fact]
    public void Run_WithImagesWithoutMasks_LabelsThemByTheBaselineOfTheSameSeed()
    {
        var unlabelled = _folder["unlabelled"];
        PhantomDataset.Write(_folder["more"], new PhantomOptions { Count = 5, Size = new ImageSize(32, 32), Seed = new Seed(99) }, NullMonitor.Instance);
        Directory.Move(Path.Combine(_folder["more"], "images"), unlabelled);
        var options = Options();
        options = options with
        {
            Arms = ["real", "pseudo-labels", "predicted-shapes"], Seeds = [1, 2], SeedScope = SeedScope.Everything,
            Generator = options.Generator with { Unlabelled = unlabelled },
        };
        var runner = new FakeStageRunner();
        var result = ExperimentRunner.Run(options, _folder["x"], NullMonitor.Instance, runner);
        Assert.Equal(["real", "pseudo-labels", "predicted-shapes"], result.Cells.Where(c => c.Seed == 1).Select(c => c.Arm));
        Assert.Equal([0, 5, 13], result.Cells.Where(c => c.Seed == 2).Select(c => c.SyntheticCount));
        Assert.Equal(6, runner.Segmentations.Count); // the teacher is the baseline, not a network more
        var labelled = runner.Segmentations.First(s => s.Folder.Contains("pseudo-labels", StringComparison.Ordinal)).Work.Train;
        Assert.Equal((8, 5), (labelled.Count(p => p.Source == PairSource.Real), labelled.Count(p => p.Source == PairSource.Synthetic)));
    }

    [Fact]
    public void Options_OfPseudoLabels_WithoutImagesToLabel_AreRefused()
    {
        var error = Assert.Throws<InvalidOptionsException>(() => (Options() with { Arms = ["real", "pseudo-labels"] }).Validate());
        Assert.Contains("images without masks", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OfArmsAtStrengthZero_TrainsNoGenerator()
    {
        var runner = new FakeStageRunner();
        var result = ExperimentRunner.Run(Options() with { Arms = ["real", "warp-only", "copy-paste"], Seeds = [1] }, _folder["x"], NullMonitor.Instance, runner);
        Assert.Empty(runner.Generators);
        Assert.Equal([0, 8, 8], result.Cells.Select(c => c.SyntheticCount));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void WrongMasks_LeaveNoImageTheMaskItWasMadeFrom(int imagesPerMask)
    {
        var pairs = Enumerable.Range(0, 7 * imagesPerMask).Select(i => new ImageMaskPair
        {
            Id = $"s{i}", ImagePath = $"i{i}", MaskPath = $"m{i}", Source = PairSource.Synthetic,
            Origin = new SyntheticOrigin("h", 1, "ddim", 1, 1, $"mask{i % 7}"),
        }).ToList();
        var wrong = TrainingPairs.Of(Arms.WrongMasks, [], pairs, pairs.Count, new Seed(4));
        Assert.Equal(pairs.Select(p => p.ImagePath), wrong.Select(p => p.ImagePath));
        Assert.Equal(pairs.Select(p => p.MaskPath).Order(), wrong.Select(p => p.MaskPath).Order());
        Assert.All(wrong, (p, i) => Assert.NotEqual(i % 7, int.Parse(p.MaskPath[1..], System.Globalization.CultureInfo.InvariantCulture) % 7));
    }

    [Fact]
    public void CustomArm_FromADesignFile_IsRun()
    {
        var arm = new ArmDefinition { Name = "mine", Title = "my own", Added = AddedPairs.Synthetic, Ratio = 1.5, Synthesis = Json("""{ "guidance": 3 }""") };
        OptionsFile.Save(_folder["design.json"], Options() with { Arms = ["real", "mine"], CustomArms = [arm], Seeds = [1], Primary = new() { Arm = "mine" } });
        var runner = new FakeStageRunner();
        var result = ExperimentRunner.Run(OptionsFile.Load<ExperimentOptions>(_folder["design.json"]), _folder["x"], NullMonitor.Instance, runner);
        Assert.Equal(12, result.Cells.Single(c => c.Arm == "mine").SyntheticCount);
        Assert.True(result.Comparisons.Single().Statistics!.Primary);
    }

    [Theory]
    [InlineData("""{ "steps": 99 }""", "all arms have the same")]
    [InlineData("""{ "lerningRate": 1 }""", "learningRate")]
    [InlineData("""{ "learningRate": -1 }""", "it has to be above 0")]
    public void CustomArm_ThatIsUnfairOrWrong_IsRefusedByName(string changes, string expected)
    {
        var arm = new ArmDefinition { Name = "mine", Title = "mine", Segmentation = Json(changes) };
        var message = Assert.Throws<InvalidOptionsException>(() => (Options() with { Arms = ["real", "mine"], CustomArms = [arm] }).Validate()).Message;
        Assert.Contains("arm 'mine'", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Primary_ThatIsNoArm_IsRefused()
        => Assert.Contains("primary.arm", Assert.Throws<InvalidOptionsException>(() => (Options() with { Primary = new() { Arm = "gated" } }).Validate()).Message, StringComparison.Ordinal);

    private static JsonObject Json(string text) => JsonNode.Parse(text)!.AsObject();

    private ExperimentOptions Options()
    {
        if (!Directory.Exists(_folder["data"]))
            PhantomDataset.Write(_folder["data"], new PhantomOptions { Count = 24, Size = new ImageSize(16, 16), FramesPerCase = 2 }, NullMonitor.Instance);
        return Demo.Quick.Experiment with { Data = _folder["data"], RealCounts = [8], BootstrapDraws = 200 };
    }
}
