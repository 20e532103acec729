using Siamorph.Diffusion;
using static TorchSharp.torch;

namespace Siamorph.Tests.Diffusion;

public class DdimSamplerTests
{
    private static readonly NoiseSchedule Cosine = new(new ScheduleOptions { Kind = ScheduleKind.Cosine });

    [Theory]
    [InlineData(TimestepSpacing.Leading)]
    [InlineData(TimestepSpacing.Trailing)]
    public void Walk_HasTheStepsAsked_RisingAndInRange(TimestepSpacing spacing)
    {
        foreach (var steps in new[] { 1, 2, 3, 7, 9, 20, 30, 36, 101, 333, 501, 999, 1000 })
        {
            var walk = Sampler(PredictionType.Epsilon, new DdimOptions { Steps = steps, Spacing = spacing }).Timesteps;
            Assert.Equal(spacing == TimestepSpacing.Trailing ? steps : (1000 + 1000 / steps - 1) / (1000 / steps), walk.Count);
            Assert.All(walk, t => Assert.InRange(t, 0, 999));
            Assert.All(walk.Zip(walk.Skip(1)), p => Assert.True(p.First <= p.Second));
        }
    }

    [Fact]
    public void LeadingWalk_OfThirtySteps_VisitsThirtyOne_AsTheReference()
    {
        var walk = Sampler(PredictionType.Epsilon, new DdimOptions { Steps = 30 }).Timesteps;
        Assert.Equal([1, 34, 67], walk.Take(3));
        Assert.Equal((31, 991), (walk.Count, walk[^1]));
    }

    [Theory]
    [InlineData(PredictionType.Epsilon)]
    [InlineData(PredictionType.Sample)]
    [InlineData(PredictionType.V)]
    public void PerfectPrediction_LeadsToTheCleanLatent(PredictionType type)
    {
        using var scope = NewDisposeScope();
        using var generator = new Seed(1).Generator();
        var (x0, noise) = (randn([2, 3, 4, 4], generator: generator), randn([2, 3, 4, 4], generator: generator));
        var process = new ForwardProcess(Cosine, type);
        var sampler = Sampler(type, new DdimOptions { Steps = 10, Spacing = TimestepSpacing.Trailing, SetAlphaToOne = true });
        var start = process.AddNoise(x0, tensor(new[] { 999L, 999L }), noise);
        var end = sampler.Sample(start, (_, t) => process.TargetOf(x0, noise, tensor(new[] { (long)t, t })).alias());
        Assert.True((end - x0).abs().max().item<float>() < 2e-2f);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(0.5, 5)]
    [InlineData(0.35, 7)]
    [InlineData(0.01, 9)]
    public void FirstStep_IsTheNoisiestNotAboveTheStrength(double strength, int first) =>
        Assert.Equal(first, Sampler(PredictionType.Epsilon, new DdimOptions
        {
            Steps = 10, Spacing = TimestepSpacing.Trailing,
        }).FirstStep(strength));

    [Fact]
    public void WalkFromHalfWay_WithAPerfectPrediction_LeadsToTheCleanLatent()
    {
        using var scope = NewDisposeScope();
        using var generator = new Seed(1).Generator();
        var (x0, noise) = (randn([2, 3, 4, 4], generator: generator), randn([2, 3, 4, 4], generator: generator));
        var sampler = Sampler(PredictionType.Epsilon, new DdimOptions
        {
            Steps = 10, Spacing = TimestepSpacing.Trailing, SetAlphaToOne = true,
        });
        var (first, asked) = (sampler.FirstStep(0.5), 0);
        var end = sampler.Sample(sampler.NoisedTo(x0, noise, first), (_, _) => { asked++; return noise.alias(); }, first: first);
        Assert.Equal(10 - first, asked);
        Assert.True((end - x0).abs().max().item<float>() < 1e-4f);
    }

    [Fact]
    public void Eta_DrawsNoiseOncePerStep_AndChangesThePath()
    {
        using var scope = NewDisposeScope();
        using var generator = new Seed(1).Generator();
        var x = randn([1, 3, 4, 4], generator: generator);
        var asked = new List<int>();
        Tensor Walk(double eta) => Sampler(PredictionType.Epsilon, new DdimOptions { Steps = 5, Eta = eta })
            .Sample(x, (y, _) => y * 0.5f, k => { asked.Add(k); return ones_like(x) * (k + 1); });
        var without = Walk(0);
        Assert.Empty(asked);
        var with = Walk(1);
        Assert.Equal([0, 1, 2, 3, 4], asked);
        Assert.True((with - without).abs().max().item<float>() > 0.1f);
    }

    [Fact]
    public void Correction_IsAppliedToEveryEstimate()
    {
        using var scope = NewDisposeScope();
        using var generator = new Seed(1).Generator();
        var sampler = Sampler(PredictionType.Sample, new DdimOptions { Steps = 4, SetAlphaToOne = true });
        var end = sampler.Sample(randn([1, 1, 4, 4], generator: generator), (y, _) => y * 10, correct: y => y.clamp(-1, 1));
        Assert.True(end.abs().max().item<float>() <= 1);
    }

    [Theory]
    [InlineData(0, 0.0)]
    [InlineData(1001, 0.0)]
    [InlineData(10, 1.5)]
    [InlineData(10, -0.1)]
    [InlineData(10, double.NaN)]
    public void ImpossibleOptions_AreRefused(int steps, double eta) =>
        Assert.Throws<InvalidOptionsException>(() => Sampler(PredictionType.Epsilon, new DdimOptions
        {
            Steps = steps, Eta = eta,
        }));

    private static DdimSampler Sampler(PredictionType type, DdimOptions options) =>
        new(new ForwardProcess(Cosine, type), options);
}
