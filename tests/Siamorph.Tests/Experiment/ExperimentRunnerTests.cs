using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Data.Phantom;
using Siamorph.Experiment;
using Siamorph.Experiment.Results;
using Siamorph.Experiment.Scheduling;
using Siamorph.Imaging;
using Siamorph.Segmentation;
using Siamorph.Siamese;
using Siamorph.Training;

namespace Siamorph.Tests.Experiment;

public sealed class ExperimentRunnerTests(ExperimentRunnerTests.TinyPhantom phantom)
    : IClassFixture<ExperimentRunnerTests.TinyPhantom>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>Two dozen images for all tests.</summary>
    public sealed class TinyPhantom : IDisposable
    {
        private readonly TemporaryFolder _folder = new();

        public TinyPhantom() => PhantomDataset.Write(Folder, new PhantomOptions
        {
            Count = 24, Size = new ImageSize(16, 16), FramesPerCase = 2,
        }, NullMonitor.Instance);

        internal string Folder => _folder["data"];

        public void Dispose() => _folder.Dispose();
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_TrainsEveryArmWithEverySeed_AndComparesThem()
    {
        var runner = new FakeStageRunner();
        var result = Run("x", Options(), runner);
        Assert.Equal(2 * 2 * 2, result.Cells.Count);
        Assert.Equal(2 + 2 + 8, runner.Ran.Count);
        Assert.Equal([4, 8], result.Comparisons.Select(c => c.RealCount));
        Assert.All(result.Comparisons, c => Assert.InRange(c.Difference, c.Low, c.High));
        Assert.All(result.Cells.Where(c => c.Arm == "real+synthetic"), c => Assert.Equal(c.RealCount, c.SyntheticCount));
        Assert.True(File.Exists(_folder["x", "results.json"]));
        Assert.True(File.Exists(_folder["x", "times.json"]));
        Assert.All(result.Sheets.SelectMany(s => s.Pictures), p => Assert.True(File.Exists(_folder["x", p.Image])));
    }

    [Fact]
    public void Run_KilledInAnyStage_GoesOnThere_AndEndsWithTheSameBytes()
    {
        var whole = new FakeStageRunner();
        Run("whole", Options(), whole);
        var expected = File.ReadAllText(_folder["whole", "results.json"]);
        for (var stage = 0; stage < whole.Ran.Count; stage++)
        {
            var name = $"killed-{stage}";
            Assert.Throws<IOException>(() => Run(name, Options(), new FakeStageRunner { DiesAt = stage }));
            Assert.False(File.Exists(_folder[name, "results.json"]));
            var rest = new FakeStageRunner();
            Run(name, Options(), rest);
            Assert.Equal(whole.Ran.Count - stage, rest.Ran.Count);
            Assert.Equal(expected, File.ReadAllText(_folder[name, "results.json"]));
        }
    }

    [Fact]
    public void Plan_RunStageByStage_ByOtherProcesses_EndsWithTheSameBytes()
    {
        Run("whole", Options(), new FakeStageRunner());
        var folder = _folder["planned"];
        var plan = ExperimentRunner.Plan(Options(), folder, NullMonitor.Instance, new FakeStageRunner());
        Assert.Equal(2 + 2 + 8, plan.Count);
        Assert.Equal(plan.Select(p => p.Stage),
            System.Text.Json.JsonSerializer.Deserialize<List<Siamorph.Experiment.Scheduling.PlannedWork>>(
                File.ReadAllText(Path.Combine(folder, "plan.json")), Siamorph.Training.OptionsFile.Json)!.Select(p => p.Stage));
        var last = plan.Last(p => p.Needs.Count > 0);
        var error = Assert.Throws<SiamorphException>(() =>
            ExperimentRunner.RunOne(folder, last.Stage, NullMonitor.Instance, new FakeStageRunner()));
        Assert.Contains($"needs {last.Needs[0]}, which is not done", error.Message, StringComparison.Ordinal);
        foreach (var work in plan)
        {
            Assert.All(work.Needs, n => Assert.True(File.Exists(Path.Combine(folder, plan.Single(p => p.Stage == n).DoneFile))));
            Assert.True(ExperimentRunner.RunOne(folder, work.Stage, NullMonitor.Instance, new FakeStageRunner()));
            Assert.True(File.Exists(Path.Combine(folder, work.DoneFile)));
            Assert.False(ExperimentRunner.RunOne(folder, work.Stage, NullMonitor.Instance, new FakeStageRunner()));
        }
        Assert.Contains("Did you mean",
            Assert.Throws<SiamorphException>(() =>
                ExperimentRunner.RunOne(folder, plan[0].Stage + "x", NullMonitor.Instance, new FakeStageRunner())).Message,
                StringComparison.Ordinal);
        var nothing = new FakeStageRunner();
        Run("planned", Options(), nothing);
        Assert.Empty(nothing.Ran);
        Assert.Equal(File.ReadAllText(_folder["whole", "results.json"]), File.ReadAllText(_folder["planned", "results.json"]));
    }

    [Fact]
    public void Crew_SharesTheStages_NoneDoneTwice_AndEndsWithTheSameBytes()
    {
        Run("alone", Options(), new FakeStageRunner());
        var (leader, member) = (new FakeStageRunner { Pause = Nap }, new FakeStageRunner { Pause = Nap });
        Exception? fault = null;
        var crew = new WorkerPool(2, folder =>
        {
            var helper = new Thread(() => fault =
                Record.Exception(() => ExperimentRunner.Assist(folder, NullMonitor.Instance, member)));
            helper.Start();
            return new Joined(helper);
        });
        ExperimentRunner.Run(Options(), _folder["together"], NullMonitor.Instance, leader, crew);
        Assert.Null(fault);
        Assert.NotEmpty(leader.Ran);
        Assert.NotEmpty(member.Ran);
        Assert.Equal(2 + 2 + 8, leader.Ran.Concat(member.Ran).Distinct().Count());
        Assert.Equal(2 + 2 + 8, leader.Ran.Count + member.Ran.Count);
        Assert.Equal(File.ReadAllText(_folder["alone", "results.json"]), File.ReadAllText(_folder["together", "results.json"]));
    }

    [Fact]
    public void Crew_ThatDies_LeavesItsStageToTheLeader()
    {
        var (leader, member) = (new FakeStageRunner { Pause = Nap }, new FakeStageRunner { DiesAt = 0 });
        Exception? fault = null;
        var crew = new WorkerPool(2, folder =>
        {
            var helper = new Thread(() => fault =
                Record.Exception(() => ExperimentRunner.Assist(folder, NullMonitor.Instance, member)));
            helper.Start();
            helper.Join();
            return new Joined(helper);
        });
        ExperimentRunner.Run(Options(), _folder["together"], NullMonitor.Instance, leader, crew);
        Assert.IsType<IOException>(fault);
        Assert.Equal(2 + 2 + 8, leader.Ran.Count);
    }

    [Fact]
    public void Run_Again_DoesNothingAndGivesTheSame()
    {
        Run("x", Options(), new FakeStageRunner());
        var before = File.ReadAllText(_folder["x", "results.json"]);
        var again = new FakeStageRunner();
        Run("x", Options(), again);
        Assert.Empty(again.Ran);
        Assert.Equal(before, File.ReadAllText(_folder["x", "results.json"]));
    }

    [Fact]
    public void Run_WithChangedOptions_RepeatsOnlyWhatDependsOnThem()
    {
        Run("x", Options(), new FakeStageRunner());
        var moreSeeds = new FakeStageRunner();
        Run("x", Options() with { Seeds = [1, 2, 3] }, moreSeeds);
        Assert.Equal(4, moreSeeds.Ran.Count);
        Assert.All(moreSeeds.Ran, s => Assert.Contains("seed3", s, StringComparison.Ordinal));
        var longer = new FakeStageRunner();
        Run("x", Options() with { Segmentation = Options().Segmentation with { Steps = 99 } }, longer);
        Assert.Equal(8, longer.Ran.Count);
        Assert.All(longer.Ran, s => Assert.StartsWith("segment", s, StringComparison.Ordinal));
    }

    [Fact]
    public void Run_WithAChangedImage_DoesNotTrustWhatWasMadeFromTheOldOne()
    {
        var data = _folder["data"];
        PhantomDataset.Write(data, new PhantomOptions
        {
            Count = 24, Size = new ImageSize(16, 16), FramesPerCase = 2,
        }, NullMonitor.Instance);
        var options = Options() with { Data = data, RealCounts = [0] };
        var first = new FakeStageRunner();
        Run("x", options, first);
        var changed = first.Generators[0].Pairs[0];
        ImageFile.WritePng(changed.ImagePath, new RgbImage(new ImageSize(16, 16)));
        var second = new FakeStageRunner();
        Run("x", options, second);
        Assert.Equal(first.Ran.Count, second.Ran.Count);
    }

    [Fact]
    public void Generators_SeeTheRealPairsOfTheirCellAlone_AndSmallerChoicesArePartOfLarger()
    {
        var runner = new FakeStageRunner();
        var result = Run("x", Options() with { SeedScope = SeedScope.Everything }, runner);
        Assert.Equal(4, runner.Generators.Count);
        var train = result.Data.Pairs.Where(p => p.Split == "train").Select(p => p.Id).ToHashSet();
        foreach (var (_, work) in runner.Segmentations)
        {
            var real = work.Train.Where(p => p.Source == PairSource.Real).Select(p => p.Id).ToHashSet();
            Assert.Subset(train, real);
            Assert.Contains(runner.Generators, g => g.Pairs.Select(p => p.Id).ToHashSet().SetEquals(real));
            Assert.Empty(work.Test.Select(p => p.Id).Intersect(train));
            Assert.Empty(work.Test.Select(p => p.Id).Intersect(work.Validation.Select(p => p.Id)));
        }
        foreach (var seed in result.Options.Seeds)
        {
            var sizes = runner.Generators.Where(g => g.Folder.Contains($"seed{seed}", StringComparison.Ordinal))
                .OrderBy(g => g.Pairs.Count).ToList();
            Assert.Subset(sizes[1].Pairs.Select(p => p.Id).ToHashSet(), sizes[0].Pairs.Select(p => p.Id).ToHashSet());
        }
    }

    [Fact]
    public void Arms_OfOneSeed_DifferInTheirTrainingPairsAlone()
    {
        var runner = new FakeStageRunner();
        Run("x", Options(), runner);
        foreach (var group in runner.Segmentations.GroupBy(s =>
            (s.Work.Options.Seed, s.Work.Train.Count(p => p.Source == PairSource.Real))))
        {
            var works = group.Select(g => g.Work).ToList();
            Assert.Equal(2, works.Count);
            Assert.Equal(works[0].Options, works[1].Options);
            Assert.Equal(works[0].Test, works[1].Test);
            Assert.Equal(works[0].Validation, works[1].Validation);
            Assert.Equal(works[0].Train, works[1].Train.Where(p => p.Source == PairSource.Real));
        }
    }

    [Theory]
    [InlineData(SeedScope.Segmentation, 1, 1)]
    [InlineData(SeedScope.Synthesis, 1, 2)]
    [InlineData(SeedScope.Everything, 2, 2)]
    public void SeedScope_DecidesHowManyGeneratorsAndSetsThereAre(SeedScope scope, int generators, int sets)
    {
        var runner = new FakeStageRunner();
        Run("x", Options() with { SeedScope = scope, RealCounts = [4] }, runner);
        Assert.Equal(generators, runner.Ran.Count(s => s.StartsWith("generator", StringComparison.Ordinal)));
        Assert.Equal(sets, runner.Ran.Count(s => s.StartsWith("synthetic", StringComparison.Ordinal)));
    }

    [Fact]
    public void Run_AskedForMoreThanThereIs_SaysHowMuchThereIs()
    {
        var fault = Assert.Throws<InvalidOptionsException>(() => Run("x", Options() with
        {
            RealCounts = [500],
        }, new FakeStageRunner()));
        Assert.Contains("500 real pairs are asked for", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Ablations_OfStageSiamese_ShareTheirBase_AndItIsNotRepeatedWhenTheyAreDone()
    {
        var options = Options() with { Arms = ["real", "real+synthetic", "mask-only", "no-online-augmentation"], Seeds = [1] };
        var runner = new FakeStageRunner();
        Run("x", options, runner);
        Assert.Equal(2, runner.Ran.Count(s => s.StartsWith("base", StringComparison.Ordinal)));
        Assert.Equal(6, runner.Generators.Count);
        Assert.All(runner.Generators, g => Assert.Equal(g.Pairs, g.Base!.Pairs));
        foreach (var folder in Directory.GetDirectories(_folder["x", "stages"], "base-*"))
            Directory.Delete(folder, recursive: true);
        var again = new FakeStageRunner();
        Run("x", options, again);
        Assert.Empty(again.Ran);
    }

    [Fact]
    public void PlaceOfTheMoments_IsNoReasonToTrainAgain()
    {
        Run("x", Options(), new FakeStageRunner());
        var again = new FakeStageRunner();
        Run("x", Options() with { Generator = Options().Generator with { OptimizerState = OptimizerStorage.Disk } }, again);
        Assert.Empty(again.Ran);
    }

    [Fact]
    public void Backbones_GoToTheNetworkTheyName_AndToNoOther()
    {
        var runner = new FakeStageRunner();
        File.WriteAllText(_folder["weights"], "w");
        Run("x", Options() with
        {
            OtherNetworks = ["segformer-compact", "unet-mobilenetv2"], Backbones = [$"unet-mobilenetv2={_folder["weights"]}"],
        }, runner);
        var given = runner.Segmentations.Select(s => s.Work.Options).ToLookup(o => o.Network.Name, o => o.Backbone);
        Assert.All(given["unet-mobilenetv2"], b => Assert.Equal(_folder["weights"], b));
        Assert.All(given["unet"].Concat(given["segformer-compact"]), Assert.Null);
        Assert.Equal(3, given.Count);
        Assert.Contains("backbones: 'unet' is none of otherNetworks", Assert.Throws<InvalidOptionsException>(() => (Options() with
        {
            Backbones = ["unet=x"],
        }).Validate()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OtherNetworks_RepeatEveryArm_OnTheSamePairsAndSteps_WithoutNewGenerators()
    {
        var runner = new FakeStageRunner();
        var result = Run("x", Options() with { OtherNetworks = ["segformer-compact"] }, runner);
        Assert.Equal(2 + 2 + 16, runner.Ran.Count);
        var other = Assert.Single(result.OtherNetworks);
        Assert.Equal(result.Cells.Select(c => (c.Arm, c.RealCount, c.Seed)),
            other.Cells.Select(c => (c.Arm, c.RealCount, c.Seed)));
        Assert.Equal(result.Comparisons.Select(c => (c.Arm, c.RealCount)), other.Comparisons.Select(c => (c.Arm, c.RealCount)));
        Assert.All(other.Comparisons, c => Assert.False(c.Statistics!.Primary));
        var works = runner.Segmentations.ToLookup(s => s.Work.Options.Network.Name, s => s.Work);
        Assert.Equal(works["unet"].Select(w => w.Train), works["segformer-compact"].Select(w => w.Train));
        Assert.Single(runner.Segmentations.Select(s =>
            (s.Work.Options.Steps, s.Work.Options.BatchSize, s.Work.Options.ImageSize, s.Work.Options.ValidateEvery)).Distinct());
        var alone = new FakeStageRunner();
        Run("x", Options(), alone);
        Assert.Empty(alone.Ran);
    }

    [Fact]
    public void Run_InAFolderInUse_IsRefused()
    {
        using var taken = FolderLock.Take(_folder["x"]);
        Assert.Contains("another process",
            Assert.Throws<SiamorphException>(() => Run("x", Options(), new FakeStageRunner())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_ListsEveryFault()
    {
        var options = new ExperimentOptions
        {
            OtherNetworks = ["nonet"], RealCounts = [], Seeds = [1, 1], Arms = ["real", "magic"],
            Segmentation = new SegmentationOptions { Steps = 0 },
        };
        var message = Assert.Throws<InvalidOptionsException>(() => options.Validate()).Message;
        foreach (var part in new[] { "data:", "realCounts:", "a seed comes twice", "'magic' is unknown", "segmentation.steps",
            "'nonet' is unknown" })
            Assert.Contains(part, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_SurviveTheirFile()
    {
        var text = OptionsFile.ToJson(Options());
        Assert.Equal(text, OptionsFile.ToJson(OptionsFile.FromJson<ExperimentOptions>(OptionsFile.ToNode(Options()), "x")));
    }

    [Fact]
    public void Run_WithUnlabelledImages_KeepsHeldOutOnesFromGenerators_AndKnowsThemByContent()
    {
        var folder = _folder["more"];
        for (var n = 0; n < 4; n++) ImageFile.WritePng(Path.Combine(folder, $"new{n}.png"),
            Siamorph.Tests.Imaging.Pictures.Image(n, 16, 16));
        var plain = new FakeStageRunner();
        var split = Run("plain", Options(), plain).Data.Pairs;
        Assert.All(plain.Generators, g => Assert.Null(g.Unlabelled));
        var test = DatasetFolder.Read(phantom.Folder).Pairs.Single(p => p.Id == split.First(s => s.Split == "test").Id);
        File.Copy(test.ImagePath, Path.Combine(folder, "planted.png"));

        var options = Options() with
        {
            Generator = Options().Generator with { Unlabelled = Path.GetRelativePath(Environment.CurrentDirectory, folder) },
        };
        var runner = new FakeStageRunner();
        var result = Run("x", options, runner);
        // Goes on from any folder
        Assert.Equal(folder, OptionsFile.Load<ExperimentOptions>(_folder["x", "options.json"]).Generator.Unlabelled);
        Assert.All(runner.Generators, g =>
            Assert.Equal(["new0", "new1", "new2", "new3"], g.Unlabelled!.Images.Select(i => i.Id)));
        var facts = Assert.Single(result.Data.Unlabelled);
        Assert.Equal(4, facts.Count);
        Assert.Contains($"the same image as {test.Id}", Assert.Single(facts.LeftOut), StringComparison.Ordinal);
        Assert.All(runner.Segmentations,
            s => Assert.DoesNotContain(s.Work.Train.Concat(s.Work.Validation).Concat(s.Work.Test), p => p.MaskPath.Length == 0));

        var moved = new FakeStageRunner();
        Directory.Move(folder, _folder["moved"]);
        options = options with { Generator = options.Generator with { Unlabelled = _folder["moved"] } };
        Run("x", options, moved);
        Assert.Empty(moved.Ran);
        var changed = new FakeStageRunner();
        File.Delete(_folder["moved", "new2.png"]);
        Run("x", options, changed);
        Assert.Equal(2, changed.Generators.Count);
    }

    // Long enough for another thread to get its turn.
    private static readonly TimeSpan Nap = TimeSpan.FromMilliseconds(30);

    private sealed class Joined(Thread thread) : IDisposable
    {
        public void Dispose() => thread.Join();
    }

    private ExperimentOptions Options() => Demo.Quick.Experiment with
    {
        Data = phantom.Folder, RealCounts = [4, 8], SyntheticPerReal = 1, SyntheticShare = null,
    };

    private ExperimentResult Run(string name, ExperimentOptions options, FakeStageRunner runner)
        => ExperimentRunner.Run(options, _folder[name], NullMonitor.Instance, runner);
}
