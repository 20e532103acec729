using Siamorph.Diffusion;
using static TorchSharp.torch;

namespace Siamorph.Tests.Diffusion;

/// <summary>
/// The truth is a Gaussian mixture in one dimension, whose best estimate of x0 is known in closed form: the end of the
/// probability-flow equation from a start is then a number, found by very many steps in double precision.
/// </summary>
public class MultistepSamplerTests
{
    private static readonly NoiseSchedule Cosine = new(new ScheduleOptions { Kind = ScheduleKind.Cosine });
    private static readonly double[] Starts = [-1.7, -0.6, -0.1, 0.4, 1.3];

    [Theory]
    [InlineData(SamplerKind.Ddim, 1.0)]
    [InlineData(SamplerKind.DpmSolver, 2.0)]
    [InlineData(SamplerKind.UniPc, 2.0)]
    public void Error_FallsWithTheOrderOfTheMethod(SamplerKind kind, double order)
    {
        // From ᾱ of timestep 800 to that of 100, where the mixture is smooth; steps that halve exactly.
        double Error(int steps) => Starts.Max(x => Math.Abs(Walk(kind, x, Grid(steps)) - Truth(x)));
        var (coarse, fine) = (Error(40), Error(160));
        var measured = Math.Log(coarse / fine) / Math.Log(4);
        Assert.True(measured > order - 0.25, $"{kind}: order {measured:0.00}, errors {coarse:E1} and {fine:E1}");
    }

    [Theory]
    [InlineData(SamplerKind.DpmSolver, PredictionType.Sample, TimestepSpacing.Trailing, true)]
    [InlineData(SamplerKind.UniPc, PredictionType.Sample, TimestepSpacing.Trailing, true)]
    [InlineData(SamplerKind.UniPc, PredictionType.V, TimestepSpacing.Trailing, true)]
    [InlineData(SamplerKind.DpmSolver, PredictionType.Epsilon, TimestepSpacing.Leading, false)]
    [InlineData(SamplerKind.UniPc, PredictionType.Epsilon, TimestepSpacing.Leading, false)]
    public void Tensors_AgreeWithDoublePrecision(SamplerKind kind, PredictionType type, TimestepSpacing spacing, bool toOne)
    {
        using var scope = NewDisposeScope();
        var sampler = new MultistepSampler(new ForwardProcess(Cosine, type), new()
        {
            Steps = 12, Spacing = spacing, SetAlphaToOne = toOne,
        }, kind);
        double[] grid = [.. sampler.Timesteps.Reverse().Select(t => (double)Cosine.AlphaBar[t]), toOne ? 1 : Cosine.AlphaBar[0]];
        var x = tensor([.. Starts.Select(s => (float)s)], [Starts.Length, 1, 1, 1]);
        var end = sampler.Sample(x, (xt, t) => Prediction(xt, Cosine.AlphaBar[t], type));
        for (var i = 0; i < Starts.Length; i++) Assert.Equal(Walk(kind, (float)Starts[i], grid), end[i].item<float>(), 2e-3);
    }

    [Theory]
    [InlineData(SamplerKind.DpmSolver)]
    [InlineData(SamplerKind.UniPc)]
    public void FewSteps_ComeNearerToTheTruthThanDdim(SamplerKind kind)
    {
        double Error(SamplerKind k, int steps) => Starts.Average(x => Math.Abs(Walk(k, x, Grid(steps)) - Truth(x)));
        Assert.True(Error(kind, 10) < Error(SamplerKind.Ddim, 30));
    }

    [Fact]
    public void Samples_DoNotDependOnTheirBatch_AndLeaveNoTensorBehind()
    {
        using var scope = NewDisposeScope();
        var sampler = new MultistepSampler(new ForwardProcess(Cosine, PredictionType.Sample), new()
        {
            Steps = 6, Spacing = TimestepSpacing.Trailing,
        }, SamplerKind.UniPc);
        var x = tensor([.. Starts.Select(s => (float)s)], [Starts.Length, 1, 1, 1]);
        Tensor Run(Tensor start) => sampler.Sample(start, (xt, t) => Prediction(xt, Cosine.AlphaBar[t], PredictionType.Sample));
        var before = TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        var all = Run(x);
        Assert.Equal(before + 1, TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        for (var i = 0; i < Starts.Length; i++) Assert.Equal(Run(x[i..(i + 1)]).item<float>(), all[i].item<float>());
    }

    [Fact]
    public void WalkFromHalfWay_WithAPerfectPrediction_LeadsToTheCleanLatent()
    {
        using var scope = NewDisposeScope();
        using var generator = new Seed(1).Generator();
        var (x0, noise) = (randn([2, 3, 4, 4], generator: generator), randn([2, 3, 4, 4], generator: generator));
        var sampler = new MultistepSampler(new ForwardProcess(Cosine, PredictionType.Sample),
            new() { Steps = 10, Spacing = TimestepSpacing.Trailing, SetAlphaToOne = true }, SamplerKind.DpmSolver);
        var first = sampler.FirstStep(0.5);
        var end = sampler.Sample(sampler.NoisedTo(x0, noise, first), (_, _) => x0.alias(), first: first);
        Assert.True((end - x0).abs().max().item<float>() < 1e-5f);
    }

    [Fact]
    public void Noise_IsRefused() => Assert.Throws<InvalidOptionsException>(() =>
        new MultistepSampler(new ForwardProcess(Cosine, PredictionType.Epsilon), new() { Eta = 0.5 }, SamplerKind.UniPc));

    // 20,000 steps of second order: errors of about 1e-10.
    private static double Truth(double x) => Walk(SamplerKind.DpmSolver, x, Grid(20_000));

    // Equal steps of λ between two timesteps.
    private static double[] Grid(int steps)
    {
        double Lambda(int t) => 0.5 * Math.Log(Cosine.AlphaBar[t] / (1.0 - Cosine.AlphaBar[t]));
        var (from, to) = (Lambda(800), Lambda(100));
        return [.. Enumerable.Range(0, steps + 1).Select(i => 1 / (1 + Math.Exp(-2 * (from + (to - from) * i / steps))))];
    }

    // E[x0 | x] for a mixture of two Gaussians, at −0.8 and 0.5, of deviations 0.3 and 0.2, weights 0.4 and 0.6.
    private static double Best(double x, double alphaBar)
    {
        var (a, variance) = (Math.Sqrt(alphaBar), 1 - alphaBar);
        double sum = 0, weights = 0;
        foreach (var (mean, deviation, weight) in new[] { (-0.8, 0.3, 0.4), (0.5, 0.2, 0.6) })
        {
            var spread = alphaBar * deviation * deviation + variance;
            var likelihood = weight * Math.Exp(-0.5 * (x - a * mean) * (x - a * mean) / spread) / Math.Sqrt(spread);
            sum += likelihood * (mean + a * deviation * deviation / spread * (x - a * mean));
            weights += likelihood;
        }
        return sum / weights;
    }

    private static Tensor Prediction(Tensor x, double alphaBar, PredictionType type)
    {
        using var scope = NewDisposeScope();
        var numbers = x.to(float64).flatten();
        double[] x0 = [.. Enumerable.Range(0, (int)numbers.numel()).Select(i => Best(numbers[i].item<double>(), alphaBar))];
        var clean = tensor(x0).view(x.shape);
        var noise = (x.to(float64) - Math.Sqrt(alphaBar) * clean) / Math.Sqrt(1 - alphaBar);
        var answer = type switch
        {
            PredictionType.Epsilon => noise,
            PredictionType.Sample => clean,
            _ => Math.Sqrt(alphaBar) * noise - Math.Sqrt(1 - alphaBar) * clean,
        };
        return answer.to(float32).MoveToOuterDisposeScope();
    }

    // The methods once more, in numbers: written from the papers' formulas in σ, α and λ.
    private static double Walk(SamplerKind kind, double x, double[] grid)
    {
        var (lambdas, outputs, before) = (new List<double>(), new List<double>(), x);
        for (var k = 0; k + 1 < grid.Length; k++)
        {
            var (now, next) = (grid[k], grid[k + 1]);
            var lambda = Math.Log(Math.Sqrt(now) / Math.Sqrt(1 - now));
            var x0 = Best(x, now);
            if (kind == SamplerKind.UniPc && k > 0) x = UniC(before, grid[k - 1], now, lambdas, outputs, x0, lambda);
            before = x;
            lambdas.Add(lambda);
            outputs.Add(x0);
            if (next >= 1) return x0;
            var h = Math.Log(Math.Sqrt(next) / Math.Sqrt(1 - next)) - lambda;
            var data = x0;
            if (kind != SamplerKind.Ddim && k > 0)
            {
                var r = (lambda - lambdas[^2]) / h;
                data = (1 + 1 / (2 * r)) * x0 - 1 / (2 * r) * outputs[^2];
            }
            x = Math.Sqrt(1 - next) / Math.Sqrt(1 - now) * x - Math.Sqrt(next) * (Math.Exp(-h) - 1) * data;
        }
        return x;
    }

    private static double UniC(double x, double from, double to, List<double> lambdas, List<double> outputs, double x0,
        double lambda)
    {
        var hh = lambdas[^1] - lambda; // −h
        var phi1 = Math.Exp(hh) - 1;
        var (rho1, rho2, r) = (0.0, 0.5, 1.0);
        if (lambdas.Count > 1)
        {
            r = (lambdas[^2] - lambdas[^1]) / (lambda - lambdas[^1]);
            var (b1, b2) = ((phi1 / hh - 1) / phi1, 2 * ((phi1 / hh - 1) / hh - 0.5) / phi1);
            var determinant = 1 * 1 - 1 * r; // of [[1, 1], [r, 1]]
            (rho1, rho2) = ((b1 - b2) / determinant, (b2 - r * b1) / determinant);
        }
        var older = lambdas.Count > 1 ? (outputs[^2] - outputs[^1]) / r : 0;
        return Math.Sqrt(1 - to) / Math.Sqrt(1 - from) * x - Math.Sqrt(to) * phi1 * outputs[^1]
            - Math.Sqrt(to) * phi1 * (rho1 * older + rho2 * (x0 - outputs[^1]));
    }
}
