using Siamorph.Acceleration;
using Siamorph.Siamese.Benchmark;
using static TorchSharp.torch;

namespace Siamorph.Tests.Acceleration;

public class OperationRecorderTests
{
    [Fact]
    public void Profile_HearsOperationsOfLibtorch_OnceEach_AndThoseOfTheBackwardPass()
    {
        using var scope = NewDisposeScope();
        using var profile = new StepProfile();
        using var recorder = OperationRecorder.TryOpen();
        if (recorder is null) return; // this libtorch can't be listened to
        profile.Clear();
        var (a, b) = (ones(8, 8, requires_grad: true), ones(8, 8));
        using (StepProfile.Around("forward, the rest"))
        {
            for (var i = 0; i < 3; i++) mm(a, b);
        }
        using (StepProfile.Of("optimizer")) mm(a, b);
        var shares = profile.Shares(1).ToDictionary(s => s.Operation);
        Assert.Equal(3, shares["matrix products"].Calls); // what runs within an operation that notes itself belongs to that
        Assert.Equal(1, shares["optimizer"].Calls);
        Assert.Equal(1, shares.Values.Sum(s => s.Share), 9);

        profile.Clear();
        mm(a, b).sum().backward();
        Assert.Equal(2, profile.Shares(1).Single(s => s.Operation == "matrix products").Calls); // forward, and by a
    }

    [Fact]
    public void Profile_HearsNothingAfterItsEnd()
    {
        using var scope = NewDisposeScope();
        var profile = new StepProfile();
        using (OperationRecorder.TryOpen()) profile.Dispose();
        mm(ones(8, 8), ones(8, 8));
        Assert.DoesNotContain(profile.Shares(1), s => s.Operation == "matrix products");
    }

    [Fact]
    public void Benchmark_WithProfile_SharesAddUp_AndKnowKernelsAndLibtorch()
    {
        var options = new StepBenchmarkOptions
        {
            ModelChannels = 32, ChannelMultipliers = [1, 2], LatentSize = 8, CodecFactor = 2, ContextLength = 4, Batch = 2,
            HintWidth = 8,
        };
        var timing = StepBenchmark.TrainStep(options, new(1, Profile: true, NullMonitor.Instance));
        var shares = timing.Shares!;
        Assert.Equal(1, shares.Sum(s => s.Share), 6);
        Assert.Contains(shares, s => s.Operation == "optimizer");
        Assert.DoesNotContain(shares, s => s.Operation.Contains("comparison", StringComparison.Ordinal));
        Assert.Null(StepBenchmark.DdimStep(options, new(1, Profile: false, NullMonitor.Instance)).Shares);
    }
}
