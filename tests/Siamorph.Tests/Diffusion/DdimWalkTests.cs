using Siamorph.Diffusion;
using Siamorph.Tests.Reference;
using static TorchSharp.torch;

namespace Siamorph.Tests.Diffusion;

/// <summary>
/// DDIM against the paper's step in plain numbers. The data are Gaussian, so that the best estimate of x0 is a line through x;
/// with noise of 1 in every step, the whole walk is a number.
/// </summary>
public class DdimWalkTests
{
    private const double Mean = 0.3, Variance = 0.16;

    [Theory]
    [InlineData(10, 0, PredictionType.Epsilon, TimestepSpacing.Leading, false)]
    [InlineData(10, 0.5, PredictionType.Epsilon, TimestepSpacing.Leading, false)]
    [InlineData(7, 1, PredictionType.Sample, TimestepSpacing.Trailing, true)]
    [InlineData(20, 0.3, PredictionType.V, TimestepSpacing.Trailing, false)]
    public void Walk_EqualsThePapersStep_InDoublePrecision(int steps, double eta, PredictionType type, TimestepSpacing spacing,
        bool toOne)
    {
        using var scope = NewDisposeScope();
        var process = new ForwardProcess(new NoiseSchedule(new ScheduleOptions()), type);
        var sampler = new DdimSampler(process, new() { Steps = steps, Eta = eta, Spacing = spacing, SetAlphaToOne = toOne });
        double[] starts = [-1.5, -0.2, 0.9];
        var x = tensor([.. starts.Select(s => (float)s)], [3, 1, 1, 1]);
        var visited = new List<float[]>();
        var end = sampler.Sample(
            x, (xt, t) => Prediction(xt, SiameseReference.AlphaBars[t], type), _ => ones_like(x),
            watch: p => visited.Add([.. p.X.flatten().data<float>()]));
        for (var i = 0; i < starts.Length; i++)
        {
            double[] due = [.. Walk(starts[i], [.. Timesteps(steps, spacing)], eta, toOne)];
            Assert.Equal(due.Length, visited.Count);
            for (var k = 0; k < due.Length; k++) Assert.Equal(due[k], visited[k][i], 2e-5 * (1 + Math.Abs(due[k])));
            Assert.Equal(due[^1], end[i].item<float>(), 2e-5);
        }
    }

    private static IEnumerable<int> Timesteps(int steps, TimestepSpacing spacing)
    {
        var stride = 1000 / steps;
        for (var k = 0; k < steps; k++)
            yield return spacing == TimestepSpacing.Leading ? 1 + stride * (steps - 1 - k)
                : (int)Math.Round((steps - k) * 1000.0 / steps) - 1;
    }

    // x' = √ᾱ'·x0 + √(1 − ᾱ' − σ²)·ε + σ·noise, σ² = η²·(1 − ᾱ')/(1 − ᾱ)·(1 − ᾱ/ᾱ').
    private static IEnumerable<double> Walk(double x, int[] timesteps, double eta, bool toOne)
    {
        var bars = SiameseReference.AlphaBars;
        for (var k = 0; k < timesteps.Length; k++)
        {
            var now = bars[timesteps[k]];
            var next = k + 1 < timesteps.Length ? bars[timesteps[k + 1]] : toOne ? 1 : bars[0];
            var clean = Clean(x, now);
            var noise = (x - Math.Sqrt(now) * clean) / Math.Sqrt(1 - now);
            var variance = eta * eta * (1 - next) / (1 - now) * (1 - now / next);
            yield return x = Math.Sqrt(next) * clean + Math.Sqrt(1 - next - variance) * noise + Math.Sqrt(variance);
        }
    }

    // E[x0 | x] of normal data.
    private static double Clean(double x, double bar) =>
        Mean + Math.Sqrt(bar) * Variance / (bar * Variance + 1 - bar) * (x - Math.Sqrt(bar) * Mean);

    private static Tensor Prediction(Tensor x, double bar, PredictionType type)
    {
        var noisy = x.to(float64);
        var clean = Mean + Math.Sqrt(bar) * Variance / (bar * Variance + 1 - bar) * (noisy - Math.Sqrt(bar) * Mean);
        var noise = (noisy - Math.Sqrt(bar) * clean) / Math.Sqrt(1 - bar);
        return (type switch
        {
            PredictionType.Epsilon => noise,
            PredictionType.Sample => clean,
            _ => Math.Sqrt(bar) * noise - Math.Sqrt(1 - bar) * clean,
        }).to(float32);
    }
}
