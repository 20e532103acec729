using Siamorph.Diffusion;
using Siamorph.Siamese;
using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Tests.Siamese;

public class SiameseStepTests
{
    private static readonly ForwardProcess Process = new(new NoiseSchedule(new ScheduleOptions()), PredictionType.Epsilon);
    private static readonly SiameseLossOptions None = new() { Mask = 0, Image = 0, Consistency = 0, Augmentation = 0 };

    public static TheoryData<string, bool, bool> Reach => new()
    {
        // loss, reaches the decoder, reaches ControlNet
        { "mask", true, true },
        { "image", false, true },
        { "consistency", true, true },
        { "augmentation", true, true },
    };

    [Theory]
    [MemberData(nameof(Reach))]
    public void Gradient_OfEachLoss_ReachesExactlyItsParameters(string loss, bool decoder, bool control)
    {
        using var scope = NewDisposeScope();
        using var model = SmallSetting.ModelWithoutZeros();
        foreach (var parameter in model.parameters()) parameter.requires_grad = true; // nothing is spared by being frozen
        Run(model, Only(loss), step: 60, maxSteps: 100).Backward();
        foreach (var (name, parameter) in model.named_parameters())
        {
            var reached = parameter.grad is { } gradient && gradient.abs().max().item<float>() > 0;
            var due = name.StartsWith("control_model.", StringComparison.Ordinal) ? control
                : decoder && (name.Contains(".output_blocks.", StringComparison.Ordinal)
                || name.Contains(".out.", StringComparison.Ordinal));
            Assert.True(reached == due, $"{loss}: {name} {(reached ? "gets" : "lacks")} a gradient");
        }
    }

    [Fact]
    public void AtStepZero_ImageBranchEqualsMaskBranch_AndGivesNoGradient()
    {
        using var scope = NewDisposeScope();
        using var model = SmallSetting.ModelWithoutZeros();
        var result = Run(model, new SiameseLossOptions { Mask = 0 }, step: 0, maxSteps: 100);
        Assert.Equal(0, result.PerSample["consistency"].abs().max().item<float>());
        Assert.Equal(result.PerSample["mask"].data<float>(), result.PerSample["image"].data<float>());
        Assert.False(result.PerSample.ContainsKey("augmentation"));
        result.Backward();
        Assert.All(model.parameters(), p => Assert.True(p.grad is null || p.grad.abs().max().item<float>() == 0));
    }

    [Fact]
    public void OnlineAugmentation_TakesLowTimestepsOnly_AndDividesByTheWholeBatch()
    {
        using var scope = NewDisposeScope();
        using var model = SmallSetting.ModelWithoutZeros();
        var result = Run(model, new SiameseLossOptions(), step: 60, maxSteps: 100);
        Assert.Equal([0L, 1L], result.AugmentedIndices!.data<long>());
        var losses = result.PerSample["augmentation"].data<float>().ToArray();
        Assert.True(losses[0] > 0 && losses[1] > 0 && losses[2] == 0 && losses[3] == 0);
        Assert.Equal(losses.Sum() / 4, result.ToScalars(new SiameseLossOptions())["augmentation"], 1e-5);
        Assert.False(Run(model, new SiameseLossOptions(), step: 33, maxSteps: 100).PerSample.ContainsKey("augmentation"));
    }

    [Fact]
    public void Losses_OfASample_DoNotDependOnTheBatch()
    {
        using var scope = NewDisposeScope();
        using var model = SmallSetting.ModelWithoutZeros();
        var batch = SmallSetting.Batch(SmallSetting.Options.Network, [50, 200, 201, 700], new Seed(3));
        var whole = new SiameseStep(model, Process, new SiameseLossOptions()).Run(batch, 60, 100);
        for (var i = 0; i < 4; i++)
        {
            Tensor Of(Tensor t) => t.narrow(0, i, 1);
            var one = new SiameseBatch(Of(batch.CleanLatent), Of(batch.Noise), Of(batch.Timesteps), Of(batch.Context),
                Of(batch.MaskHint), Of(batch.ImageHint));
            var alone = new SiameseStep(model, Process, new SiameseLossOptions()).Run(one, 60, 100);
            foreach (var (term, losses) in alone.PerSample)
                Assert.Equal(whole.PerSample[term][i].item<float>(), losses[0].item<float>(), 1e-4f);
        }
    }

    [Fact]
    public void DroppedControl_LeavesNoTraceOfTheHints()
    {
        using var scope = NewDisposeScope();
        using var model = SmallSetting.ModelWithoutZeros();
        var batch = SmallSetting.Batch(SmallSetting.Options.Network, [50, 600], new Seed(3)) with
        {
            KeepControl = tensor(new float[] { 1, 0 }),
        };
        var result = new SiameseStep(model, Process, new SiameseLossOptions()).Run(batch, 60, 100);
        var plain = model.UNet.Decode(model.UNet.Encode(result.NoisyLatent, batch.Timesteps, batch.Context), batch.Context);
        Assert.True((result.MaskPrediction - plain)[1].abs().max().item<float>() < 1e-5);
        Assert.True((result.MaskPrediction - plain)[0].abs().max().item<float>() > 1e-3);
        Assert.Equal(0, result.PerSample["consistency"][1].item<float>());
    }

    [Fact]
    public void Step_LeavesNoTensorBehind()
    {
        using var model = SmallSetting.ModelWithoutZeros();
        long Live()
        {
            using (NewDisposeScope()) Run(model, new SiameseLossOptions(), step: 60, maxSteps: 100).Backward();
            return DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        }
        var before = Live();
        for (var i = 0; i < 3; i++) Assert.Equal(before, Live());
    }

    private static SiameseLossOptions Only(string loss) => loss switch
    {
        "mask" => None with { Mask = 1 },
        "image" => None with { Image = 1 },
        "consistency" => None with { Consistency = 1 },
        _ => None with { Augmentation = 1 },
    };

    private static SiameseStepResult Run(SiameseModel model, SiameseLossOptions options, long step, long maxSteps) =>
        new SiameseStep(model, Process, options)
        .Run(SmallSetting.Batch(SmallSetting.Options.Network, [50, 200, 201, 700], new Seed(3)), step, maxSteps);
}
