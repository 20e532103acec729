using Siamorph.Diffusion;
using Siamorph.Siamese;
using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Tests.Siamese;

public class RecomputationTests
{
    [Fact]
    public void Step_WithRecomputation_HasTheSameLossesAndGradients_AndLeavesNothingBehind()
    {
        using var scope = NewDisposeScope();
        using var model = SmallSetting.ModelWithoutZeros();
        model.FreezeEncoder();
        var batch = SmallSetting.Batch(model.UNet.Config, [150, 700], new Seed(3));
        var step = new SiameseStep(model, new ForwardProcess(new NoiseSchedule(new ScheduleOptions()), PredictionType.Epsilon),
            new SiameseLossOptions());
        var kept = Gradients(model, step, batch);
        model.GradientCheckpointing = true;
        var again = Gradients(model, step, batch);
        Assert.Equal(kept.Keys, again.Keys);
        foreach (var (name, gradient) in kept)
            Assert.True((again[name] - gradient).abs().max().item<float>() <= 1e-5 * (1
                + gradient.abs().max().item<float>()), name);
        var live = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (NewDisposeScope()) _ = Gradients(model, step, batch);
        Assert.InRange(DisposeScopeManager.Statistics.ThreadTotalLiveCount, live - 1, live + 1);
    }

    private static Dictionary<string, Tensor> Gradients(SiameseModel model, SiameseStep step, SiameseBatch batch)
    {
        foreach (var (_, parameter) in model.TrainableParameters()) parameter.grad = null;
        using (NewDisposeScope()) step.Run(batch, 60, 100).Backward();
        return model.TrainableParameters().ToDictionary(p => p.Name, p => p.Parameter.grad!.clone());
    }
}
