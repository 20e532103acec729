using Siamorph.Training.Optimizers;

namespace Siamorph.Tests.Training;

public class LearningRateScheduleTests
{
    private static readonly LearningRateSchedule Schedule = new()
    {
        Peak = 1, WarmupSteps = 10, FlatFraction = 0.5, FinalFraction = 0.1,
    };

    [Theory]
    [InlineData(0, 0.1)]
    [InlineData(4, 0.5)]
    [InlineData(9, 1)]
    [InlineData(10, 1)]
    [InlineData(50, 1)]
    [InlineData(75, 0.55)]
    [InlineData(100, 0.1)]
    [InlineData(500, 0.1)]
    public void At_LinearDecay(long step, double expected) => Assert.Equal(expected, Schedule.At(step, 100), 1e-12);

    [Theory]
    [InlineData(50, 1)]
    [InlineData(75, 0.55)]
    [InlineData(100, 0.1)]
    public void At_Cosine(long step, double expected) =>
        Assert.Equal(expected, (Schedule with { Shape = LearningRateShape.Cosine }).At(step, 100), 1e-12);

    [Fact]
    public void At_Constant_NeverFalls() =>
        Assert.Equal(1, (Schedule with { Shape = LearningRateShape.Constant }).At(99, 100));

    [Fact]
    public void At_WarmupLongerThanTheRun_StaysBelowThePeak() => Assert.Equal(0.3, Schedule.At(2, 3), 1e-12);

    [Fact]
    public void Faults_ListsAll() =>
        Assert.Equal(4, new LearningRateSchedule
        {
            Peak = -1, WarmupSteps = -1, FlatFraction = 2, FinalFraction = double.NaN,
        }.Faults().Count());

    [Fact]
    public void ClipNorm_ScalesDownOnlyWhatIsTooLong()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var parameter = new TorchSharp.Modules.Parameter(TorchSharp.torch.zeros(2))
        {
            grad = TorchSharp.torch.tensor(new[] { 3f, 4f }),
        };
        Assert.Equal(5, GradientClip.ClipNorm([parameter], 10), 1e-6);
        Assert.Equal(4, parameter.grad![1].item<float>());
        Assert.Equal(5, GradientClip.ClipNorm([parameter], 1), 1e-6);
        Assert.Equal(0.8, parameter.grad![1].item<float>(), 1e-5);
    }
}
