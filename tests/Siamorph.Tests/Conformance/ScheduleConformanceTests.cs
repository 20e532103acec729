using Siamorph.Diffusion;
using Siamorph.Models;
using static TorchSharp.torch;

namespace Siamorph.Tests.Conformance;

public class ScheduleConformanceTests
{
    private const double Relative = 1e-6;
    private static readonly NoiseSchedule Schedule = new(new ScheduleOptions());

    [Fact]
    public void Schedule_EqualsReference()
    {
        using var scope = NewDisposeScope();
        var golden = DiffusionFixtures.Tensors("schedule.safetensors");
        AssertRelative(golden["betas_f64"], Schedule.Betas, 1e-12);
        AssertRelative(golden["alphas_cumprod_f64"], Schedule.AlphaBars, 1e-12);
        AssertRelative(golden["alphas_cumprod"], Doubles(Schedule.AlphaBar), Relative);
        AssertRelative(golden["sqrt_alphas_cumprod"], Doubles(Schedule.SqrtAlphaBar), Relative);
        AssertRelative(golden["sqrt_one_minus_alphas_cumprod"], Doubles(Schedule.SqrtOneMinusAlphaBar), Relative);
        AssertRelative(golden["sqrt_recip_alphas_cumprod"], Doubles(Schedule.SqrtRecipAlphaBar), Relative);
        AssertRelative(golden["sqrt_recipm1_alphas_cumprod"], Doubles(Schedule.SqrtRecipM1AlphaBar), Relative);
    }

    [Fact]
    public void DdimCoefficients_EqualReference()
    {
        using var scope = NewDisposeScope();
        var golden = DiffusionFixtures.Tensors("schedule.safetensors");
        var process = new ForwardProcess(Schedule, PredictionType.Epsilon);
        var cases = golden.Keys.Where(k => k.Contains("_sigmas_eta", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(cases);
        foreach (var key in cases)
        {
            var prefix = key[..key.IndexOf('_', StringComparison.Ordinal)];
            var eta = double.Parse(key[(key.IndexOf("eta", StringComparison.Ordinal) + 3)..],
                System.Globalization.CultureInfo.InvariantCulture);
            var timesteps = golden[$"{prefix}_timesteps"].data<long>().ToArray();
            var sampler = new DdimSampler(process, new DdimOptions { Steps = StepsIn(prefix), Eta = eta });
            Assert.Equal(timesteps, sampler.Timesteps.Select(t => (long)t));
            var coefficients = Enumerable.Range(0, timesteps.Length)
                .Select(i => sampler.Coefficients(timesteps.Length - 1 - i)).ToList();
            AssertRelative(golden[$"{prefix}_alphas"], [.. coefficients.Select(c => c.AlphaBar)], Relative);
            AssertRelative(golden[$"{prefix}_alphas_prev"], [.. coefficients.Select(c => c.Previous)], Relative);
            AssertRelative(golden[key], [.. coefficients.Select(c => c.Sigma)], Relative);
        }
    }

    [Fact]
    public void TimestepEmbedding_EqualsReference()
    {
        using var scope = NewDisposeScope();
        var golden = DiffusionFixtures.Tensors("schedule.safetensors");
        var widths = golden.Keys.Where(k => k.StartsWith("temb_", StringComparison.Ordinal) && k != "temb_t").ToList();
        Assert.NotEmpty(widths);
        foreach (var key in widths)
            DiffusionFixtures.AssertClose(golden[key],
                TimestepEmbedding.Of(golden["temb_t"], (int)golden[key].shape[1]), 1e-4, key);
    }

    // "ddim30": what was asked for; the reference may take one more.
    private static int StepsIn(string prefix) =>
        int.Parse(prefix.AsSpan(prefix.AsSpan().IndexOfAnyInRange('0', '9')), System.Globalization.CultureInfo.InvariantCulture);

    private static double[] Doubles(float[] values) => [.. values.Select(v => (double)v)];

    private static void AssertRelative(Tensor expected, double[] actual, double tolerance)
    {
        var golden = expected.to(float64).data<double>().ToArray();
        Assert.Equal(golden.Length, actual.Length);
        for (var i = 0; i < golden.Length; i++)
            Assert.True(Math.Abs(golden[i] - actual[i]) <= tolerance * Math.Abs(golden[i]) + 1e-15,
                $"entry {i}: {actual[i]} where {golden[i]} was due");
    }
}
