using System.Text.Json.Nodes;
using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Data.Phantom;
using Siamorph.Experiment;
using Siamorph.Experiment.Results;
using Siamorph.Experiment.Scheduling;
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
        Assert.Equal(Arms.All.Count(a => !a.NeedsUnlabelled), runner.Segmentations.Count);
        var longer = runner.Segmentations.Where(s => s.Work.Options.Steps != runner.Segmentations[0].Work.Options.Steps).ToList();
        // Continued, equal-exposures
        Assert.Equal([2, 2], longer.Select(s => s.Work.Options.Steps / runner.Segmentations[0].Work.Options.Steps));
        Assert.Single(runner.Segmentations.Except(longer)
            .Select(s => (s.Work.Options.Steps, s.Work.Options.BatchSize, s.Work.Options.ValidateEvery, s.Work.Options.Seed))
            .Distinct());
        Assert.Single(runner.Segmentations.Select(s => s.Work.Test).Distinct());
        (int Real, int Added) Counts(string arm)
        {
            var train = runner.Segmentations.Single(s =>
                s.Folder.Contains($"segment-{new string([.. arm.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')])}-n",
                StringComparison.Ordinal)).Work.Train;
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
        Assert.All(new[] { "warp-only", "copy-paste", "edited", "harmonised", "inpainted", "second-hint" },
            a => Assert.Equal((8, 8), Counts(a)));
        Assert.Equal(4, runner.Generators.Count); // the whole, and three ablations
        Assert.Equal(0, runner.Generators.Single(g => g.Options.Losses.Image == 0).Options.Losses.Consistency);
        Assert.Equal([(8, GateSelection.InOrder), (8, GateSelection.Difficulty)],
            result.Gates.Select(g => (g.Outcome.Kept, g.Selection)));
        Assert.Single(result.Sheets, s => s.Kind == SheetKind.Refused);
        Assert.Equal(8, result.Cells.Single(c => c.Arm == "gated").SyntheticCount);
    }

    [Fact]
    public void Run_WithImagesWithoutMasks_LabelsThemByTheBaselineOfTheSameSeed()
    {
        var unlabelled = _folder["unlabelled"];
        PhantomDataset.Write(_folder["more"], new PhantomOptions
        {
            Count = 5, Size = new ImageSize(32, 32), Seed = new Seed(99),
        }, NullMonitor.Instance);
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
        Assert.Equal((8, 5), (labelled.Count(p => p.Source == PairSource.Real),
            labelled.Count(p => p.Source == PairSource.Synthetic)));
    }

    private ExperimentOptions WithImagesToLabel(params string[] arms)
    {
        PhantomDataset.Write(_folder["bare"], new PhantomOptions
        {
            Count = 5, Size = new ImageSize(32, 32), Seed = new Seed(90),
        }, NullMonitor.Instance);
        var options = Options();
        return options with { Arms = arms, Seeds = [1], Generator = options.Generator with { Unlabelled = _folder["bare"] } };
    }

    [Fact]
    public void Run_OfTeachers_LabelsByTheNetworkThatEachArmNames()
    {
        var options = WithImagesToLabel("real", "synthetic-teacher", "second-teacher");
        var runner = new FakeStageRunner();
        var result = ExperimentRunner.Run(options, _folder["x"], NullMonitor.Instance, runner);
        var trained = runner.Segmentations.Select(s => Path.GetFileName(Path.GetDirectoryName(s.Folder)!).Split("-n")[0]).Order();
        // The teachers are trained too, though they are no arms: real + synthetic, and pseudo-labels, whose own is the baseline.
        Assert.Equal(["segment-pseudo-labels", "segment-real", "segment-real-synthetic", "segment-second-teacher",
            "segment-synthetic-teacher"], trained);
        Assert.Equal(3, runner.Ran.Count(r => r.StartsWith("labelled-n", StringComparison.Ordinal)));
        Assert.Single(runner.Generators);
        Assert.Equal([0, 5, 5], result.Cells.Select(c => c.SyntheticCount));
    }

    [Fact]
    public void LabelledGenerator_LearnsFromRealPairsAndImagesThatTheBaselineLabelled_Softly()
    {
        var options = WithImagesToLabel("real", "real+synthetic", "labelled-generator");
        var runner = new FakeStageRunner();
        var result = ExperimentRunner.Run(options, _folder["x"], NullMonitor.Instance, runner);
        var plain = runner.Generators.Single(g => g.Labelled is null);
        var labelled = runner.Generators.Single(g => g.Labelled is not null);
        Assert.Equal(plain.Pairs.Select(p => p.Id), labelled.Pairs.Select(p => p.Id));
        Assert.Equal((LabelKind.Hard, LabelKind.Soft), (plain.Options.Labels, labelled.Options.Labels));
        Assert.True(labelled.Labelled!.Soft);
        Assert.Equal("real", labelled.Labelled.Teacher.Arm.Name);
        Assert.NotNull(plain.Unlabelled);
        Assert.Null(labelled.Unlabelled); // they are among the pairs
        // What is drawn, and how much, is as in the other arm: the generator alone differs.
        Assert.Equal(result.Cells[1].SyntheticCount, result.Cells[2].SyntheticCount);
        Assert.Contains(result.Arms, a => a.Name == "labelled-generator");
    }

    [Fact]
    public void Teachers_ThatEndWhereTheyBegan_AreRefused()
    {
        var one = new ArmDefinition { Name = "one", Title = "one", Added = AddedPairs.PseudoLabels, Teacher = "two" };
        var options = Options() with
        {
            Arms = ["real", "one"], CustomArms = [one, one with { Name = "two", Teacher = "one" }],
            Generator = Options().Generator with { Unlabelled = _folder["bare"] },
        };
        var error = Assert.Throws<InvalidOptionsException>(options.Validate);
        Assert.Contains("arm 'one': teacher 'two' is unknown, or its own teachers end where they began.", error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Cells_SayHowOftenARealImageWasSeen_AndHalfOfEachBatchIsAdded()
    {
        var runner = new FakeStageRunner();
        var options = Options() with
        {
            Arms = ["real", "real+synthetic", "one-per-real", "synthetic-only", "warm-up"], Seeds = [1],
        };
        options = options with { Segmentation = options.Segmentation with { Steps = 30, BatchSize = 4 } };
        var result = ExperimentRunner.Run(options, _folder["x"], NullMonitor.Instance, runner);
        Assert.Equal([15, 7.5, 7.5, 0, 5], result.Cells.Select(c => Math.Round(c.RealExposures!.Value, 1)));
        Assert.Equal([null, 0.5, 0.5, null, 0.5], runner.Segmentations.Select(s => s.Work.Options.SyntheticFraction));
    }

    [Fact]
    public void Run_WithSetsOfOtherHospitals_TestsEveryNetworkOnThem_AndComparesArms()
    {
        foreach (var (name, count, seed) in new[] { ("north", 6, 70UL), ("south", 4, 71UL) })
            PhantomDataset.Write(_folder[name], new PhantomOptions
            {
                Count = count, Size = new ImageSize(32, 32), Seed = new Seed(seed),
            }, NullMonitor.Instance);
        var options = Options() with
        {
            Arms = ["real", "real+synthetic"], Seeds = [1, 2],
            ExternalTest = [$"north={_folder["north"]}", $"south={_folder["south"]}"],
        };
        var result = ExperimentRunner.Run(options, _folder["x"], NullMonitor.Instance, new FakeStageRunner());
        Assert.Equal([null, "north", "south", null, "north", "south"], result.External.Select(e => e.Set));
        Assert.Equal([10, 6, 4], result.External.Take(3).Select(e => e.Images));
        // The mean over all images, not over sets: 6 of about 0.5, 4 of about 0.6.
        Assert.Equal((6 * 0.5 + 4 * 0.6 + 0.001 * (15 + 6)) / 10, result.External[0].Dice, 6);
        Assert.All(result.External.Skip(3), e => Assert.Equal(0.05, e.Difference!.Mean, 6));
        var report = Siamorph.Reports.ExperimentReport.Write(_folder["x"]);
        Assert.Contains("External test sets", File.ReadAllText(report.Path), StringComparison.Ordinal);
        Assert.Equal(7, File.ReadAllLines(_folder["x", "external.csv"]).Length);
    }

    [Theory]
    [InlineData("south", 4, "Dice on south")]
    [InlineData("all", 10, "Dice on all external test sets together")]
    public void Run_WhoseEndPointIsAnExternalSet_AnswersForThatSet_AndHoldsAllElseSecondary(string set, int images, string said)
    {
        foreach (var (name, count, seed) in new[] { ("north", 6, 70UL), ("south", 4, 71UL) })
            PhantomDataset.Write(_folder[name], new PhantomOptions
            {
                Count = count, Size = new ImageSize(32, 32), Seed = new Seed(seed),
            }, NullMonitor.Instance);
        var options = Options() with
        {
            Arms = ["real", "copy-paste", "real+synthetic"], Seeds = [1, 2, 3],
            Primary = new() { Arm = "real+synthetic", Set = set },
            ExternalTest = [$"north={_folder["north"]}", $"south={_folder["south"]}"],
        };
        var result = ExperimentRunner.Run(options, _folder["x"], NullMonitor.Instance, new FakeStageRunner());
        var declared = result.ExternalPrimary!;
        Assert.Equal(("real+synthetic", set, images), (declared.Arm, declared.Set, declared.Images));
        Assert.Equal(0.05, declared.Difference, 6);
        Assert.Equal(result.External.Single(e => e.Arm == "real" && (e.Set ?? "all") == set).Dice, declared.BaselineDice, 6);
        Assert.Null(declared.Statistics!.AdjustedP);
        Assert.All(result.Comparisons, c => Assert.True(c.Statistics is { Primary: false, AdjustedP: not null }));
        // What the generator adds, on that set, to the best arm without one, which is chosen by validation: real.
        Assert.Equal(0.05, result.Ladder[^1].Gain!.Mean, 6);
        var report = Siamorph.Reports.ExperimentReport.Write(_folder["x"]);
        Assert.Contains(report.Answer, s => s.Contains(said, StringComparison.Ordinal));
        Assert.Contains(report.Answer, s => s.StartsWith("Secondary", StringComparison.Ordinal)
            && s.Contains("own test images", StringComparison.Ordinal));
    }

    [Fact]
    public void Options_WhoseEndPointIsNoExternalSet_AreRefused_WithTheNames()
    {
        var options = Options() with
        {
            Arms = ["real", "real+synthetic"], Primary = new() { Arm = "real+synthetic", Set = "east" },
        };
        Assert.Contains("primary.set is 'east', but there is no external test set",
            Assert.Throws<InvalidOptionsException>(() => options.Validate()).Message, StringComparison.Ordinal);
        Assert.Contains("name one of the external test sets (north), or \"all\"",
            Assert.Throws<InvalidOptionsException>(() => (options with
            {
                ExternalTest = ["north=x"],
            }).Validate()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_WithAnExternalSetThatHoldsATrainingImage_IsRefused_AndNamesBoth()
    {
        var options = Options();
        var own = DatasetFolder.Read(options.Data).Pairs[0];
        PhantomDataset.Write(_folder["north"], new PhantomOptions
        {
            Count = 4, Size = new ImageSize(32, 32), Seed = new Seed(70),
        }, NullMonitor.Instance);
        var copy = Path.Combine(_folder["north"], "images",
            Path.GetFileName(DatasetFolder.Read(_folder["north"]).Pairs[2].ImagePath));
        File.Copy(own.ImagePath, copy, overwrite: true);
        var error = Assert.Throws<InvalidDatasetException>(() => ExperimentRunner.Run(
            options with
            {
                ExternalTest = [$"north={_folder["north"]}"],
            }, _folder["x"], NullMonitor.Instance, new FakeStageRunner()));
        Assert.Contains(copy, error.Message, StringComparison.Ordinal);
        Assert.Contains(own.ImagePath, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_WhoseUnlabelledImagesLieInAnExternalSet_LeavesThemOut()
    {
        PhantomDataset.Write(_folder["north"], new PhantomOptions
        {
            Count = 6, Size = new ImageSize(32, 32), Seed = new Seed(70),
        }, NullMonitor.Instance);
        Directory.CreateDirectory(_folder["unlabelled"]);
        var tested = DatasetFolder.Read(_folder["north"]).Pairs[2];
        File.Copy(tested.ImagePath, _folder["unlabelled", "leak.png"]);
        PhantomDataset.Write(_folder["elsewhere"], new PhantomOptions
        {
            Count = 1, Size = new ImageSize(32, 32), Seed = new Seed(71),
        }, NullMonitor.Instance);
        File.Copy(DatasetFolder.Read(_folder["elsewhere"]).Pairs[0].ImagePath, _folder["unlabelled", "fine.png"]);
        ExperimentRunner.Run(
            Options() with
            {
                Arms = ["real", "pseudo-labels"], ExternalTest = [$"north={_folder["north"]}"],
                Generator = Options().Generator with { Unlabelled = _folder["unlabelled"] },
            }, _folder["x"], NullMonitor.Instance, new FakeStageRunner());
        var facts = Assert.Single(OptionsFile.Load<ExperimentResult>(_folder["x", "results.json"])!.Data.Unlabelled);
        Assert.Equal(1, facts.Count);
        Assert.Contains($"leak.png is left out: the same image as north {tested.Id} of split \"test\"",
            Assert.Single(facts.LeftOut), StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_WithWeightsForTheNetwork_DependsOnWhatTheFileHolds_NotOnWhereItLies()
    {
        var runs = 0;
        string Stage(string name)
        {
            var (runner, options) = (new FakeStageRunner(), Options());
            ExperimentRunner.Run(
                options with { Segmentation = options.Segmentation with { Backbone = _folder[name] } }, _folder[$"x{runs++}"],
                NullMonitor.Instance, runner);
            return Path.GetFileName(Path.GetDirectoryName(runner.Segmentations[0].Folder)!);
        }
        foreach (var (name, contents) in new[] { ("one", "a"), ("same", "a"), ("another", "b") })
            File.WriteAllText(_folder[name], contents);
        Assert.Equal(Stage("one"), Stage("same"));
        Assert.NotEqual(Stage("one"), Stage("another"));
        Assert.Contains("does not exist", Assert.Throws<WeightsFormatException>(() => Stage("none")).Message);
    }

    [Fact]
    public void Options_OfPseudoLabels_WithoutImagesToLabel_AreRefused()
    {
        var error = Assert.Throws<InvalidOptionsException>(() => (Options() with
        {
            Arms = ["real", "pseudo-labels"],
        }).Validate());
        Assert.Contains("images without masks", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OfRivalsWithoutGenerator_GivesEachWhatItLearnsFrom()
    {
        PhantomDataset.Write(_folder["bare"], new PhantomOptions
        {
            Count = 5, Size = new ImageSize(32, 32), Seed = new Seed(90),
        }, NullMonitor.Instance);
        var options = Options() with
        {
            Arms = ["real", "continued", "cutmix", "mean-teacher", "denoising-pretrained"], Seeds = [1],
        };
        options = options with { Generator = options.Generator with { Unlabelled = _folder["bare"] } };
        var runner = new FakeStageRunner();
        var result = ExperimentRunner.Run(options, _folder["x"], NullMonitor.Instance, runner);
        Assert.Empty(runner.Generators);
        SegmentationWork Of(string arm) =>
            runner.Segmentations.Single(s => s.Folder.Contains($"segment-{arm}-n", StringComparison.Ordinal)).Work;
        var (real, teacher, pretrained) = (Of("real"), Of("mean-teacher"), Of("denoising-pretrained"));
        Assert.Equal(2 * real.Options.Steps, Of("continued").Options.Steps);
        Assert.Equal(0.5, Of("cutmix").Options.Augmentation.CutMix);
        Assert.Equal(5, teacher.Train.Count(p => p.IsUnlabelled));
        Assert.Equal(options.SyntheticShare, teacher.Options.SyntheticFraction);
        Assert.Equal(real.Train.Count, pretrained.Train.Count);
        Assert.True(Directory.Exists(pretrained.Options.InitialWeights));
        Assert.Contains(runner.Ran, r => r.StartsWith("pretrained-n", StringComparison.Ordinal));
        Assert.Equal([0, 0, 0, 5, 0], result.Cells.Select(c => c.SyntheticCount));
        var exposures = result.Cells.ToDictionary(c => c.Arm, c => c.RealExposures!.Value);
        Assert.Equal(2 * exposures["real"], exposures["continued"], 0.11);
        Assert.Equal(exposures["real"] / 2, exposures["mean-teacher"], 0.11);
    }

    [Fact]
    public void Run_OfArmsAtStrengthZero_TrainsNoGenerator()
    {
        var runner = new FakeStageRunner();
        var result = ExperimentRunner.Run(Options() with
        {
            Arms = ["real", "warp-only", "copy-paste"], Seeds = [1],
        }, _folder["x"], NullMonitor.Instance, runner);
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
        Assert.All(wrong, (p, i) => Assert.NotEqual(i % 7,
            int.Parse(p.MaskPath[1..], System.Globalization.CultureInfo.InvariantCulture) % 7));
    }

    [Fact]
    public void CustomArm_FromADesignFile_IsRun()
    {
        var arm = new ArmDefinition
        {
            Name = "mine", Title = "my own", Added = AddedPairs.Synthetic, Ratio = 1.5, Synthesis = Json("""{ "guidance": 3 }"""),
        };
        OptionsFile.Save(_folder["design.json"], Options() with
        {
            Arms = ["real", "mine"], CustomArms = [arm], Seeds = [1], Primary = new() { Arm = "mine" },
        });
        var runner = new FakeStageRunner();
        var result = ExperimentRunner.Run(OptionsFile.Load<ExperimentOptions>(_folder["design.json"]), _folder["x"],
            NullMonitor.Instance, runner);
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
        var message = Assert.Throws<InvalidOptionsException>(() => (Options() with
        {
            Arms = ["real", "mine"], CustomArms = [arm],
        }).Validate()).Message;
        Assert.Contains("arm 'mine'", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Primary_ThatIsNoArm_IsRefused()
        => Assert.Contains("primary.arm", Assert.Throws<InvalidOptionsException>(() => (Options() with
        {
            Primary = new() { Arm = "gated" },
        }).Validate()).Message, StringComparison.Ordinal);

    private static JsonObject Json(string text) => JsonNode.Parse(text)!.AsObject();

    private ExperimentOptions Options()
    {
        if (!Directory.Exists(_folder["data"]))
            PhantomDataset.Write(_folder["data"], new PhantomOptions
            {
                Count = 24, Size = new ImageSize(16, 16), FramesPerCase = 2,
            }, NullMonitor.Instance);
        return Demo.Quick.Experiment with
        {
            Data = _folder["data"], RealCounts = [8], SyntheticPerReal = 1, BootstrapDraws = 200,
        };
    }
}
