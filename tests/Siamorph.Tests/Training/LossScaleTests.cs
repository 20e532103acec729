using Siamorph.Training.Optimizers;

namespace Siamorph.Tests.Training;

public class LossScaleTests
{
    [Fact]
    public void Overflow_HalvesIt_AndACheckpointGoesOnFromThere()
    {
        var scale = new LossScale(needed: true);
        Assert.False(scale.Accept(finite: false));
        for (var i = 0; i < 1500; i++) Assert.True(scale.Accept(finite: true));
        var resumed = new LossScale(needed: true);
        resumed.Restore(scale.Value, scale.GoodSteps);
        for (var i = 0; i < 600; i++) Assert.Equal(scale.Accept(finite: true), resumed.Accept(finite: true));
        Assert.Equal((65536, 100), (scale.Value, scale.GoodSteps)); // doubled on the way
        Assert.Equal((scale.Value, scale.GoodSteps), (resumed.Value, resumed.GoodSteps));
    }
}
