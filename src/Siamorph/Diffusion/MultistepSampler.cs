using static TorchSharp.torch;

namespace Siamorph.Diffusion;

/// <summary>
/// DPM-Solver++(2M) and UniPC-2: they solve the probability-flow equation in λ = ln(√ᾱ / √(1 − ᾱ)), where it is linear but for
/// x0, and extend x0 linearly from its last two estimates. Deterministic; they visit the timesteps that <see cref="DdimSampler"/>
/// visits. The first step and, since ᾱ = 1 has no λ, a last one that lands on the clean latent are of first order.
/// </summary>
internal sealed class MultistepSampler : ILatentSampler
{
    private readonly ForwardProcess _process;
    private readonly DdimSampler _walk;
    private readonly bool _corrects;

    /// <summary>Prepares the walk.</summary>
    /// <param name="process">Schedule and prediction target.</param>
    /// <param name="options">Which timesteps; η must be 0.</param>
    /// <param name="kind">Which of the two.</param>
    /// <exception cref="InvalidOptionsException">The number of steps lies outside its range, η is not 0, or the kind is
    /// DDIM.</exception>
    public MultistepSampler(ForwardProcess process, DdimOptions options, SamplerKind kind)
    {
        ArgumentNullException.ThrowIfNull(options);
        _walk = new(process, options);
        if (kind == SamplerKind.Ddim) throw new InvalidOptionsException(
            "DDIM is not a multistep sampler. Choose dpmSolver or uniPc.");
        if (options.Eta != 0) throw new InvalidOptionsException(
            $"η is {options.Eta}: {kind} is deterministic. Set it to 0, or choose sampler ddim.");
        (_process, _corrects) = (process, kind == SamplerKind.UniPc);
    }

    /// <inheritdoc/>
    public IReadOnlyList<int> Timesteps => _walk.Timesteps;

    /// <inheritdoc/>
    public int FirstStep(double strength) => _walk.FirstStep(strength);

    /// <inheritdoc/>
    public Tensor NoisedTo(Tensor clean, Tensor noise, int index) => _walk.NoisedTo(clean, noise, index);

    /// <inheritdoc/>
    public Tensor Sample(
        Tensor x, Func<Tensor, int, Tensor> predict, Func<int, Tensor>? freshNoise = null,
        Func<Tensor, Tensor>? correct = null, Action<SamplerProgress>? watch = null, int first = 0)
    {
        ArgumentNullException.ThrowIfNull(predict);
        using var outer = NewDisposeScope();
        var (current, before) = (x, x); // before: the latent that the last step began with
        Estimate? last = null, older = null;
        for (var k = first; k < Timesteps.Count; k++)
        {
            using var scope = NewDisposeScope();
            var (alpha, next, _) = _walk.Coefficients(k);
            var x0 = _process.CleanLatent(current, predict(current, Timesteps[^(k + 1)]), alpha);
            if (correct is not null) x0 = correct(x0);
            if (_corrects && last is { } from) current = Corrected(before, from, older, new(Lambda(alpha), x0), alpha);
            var stepped = Predicted(current, new(Lambda(alpha), x0), last, alpha, next);
            watch?.Invoke(new(k, Timesteps[^(k + 1)], stepped, x0));
            older = last;
            last = new(Lambda(alpha), x0.MoveToOuterDisposeScope());
            before = ReferenceEquals(current, x) ? x : current.MoveToOuterDisposeScope();
            current = stepped.MoveToOuterDisposeScope();
        }
        return ReferenceEquals(current, x) ? x.alias().MoveToOuterDisposeScope() : current.MoveToOuterDisposeScope();
    }

    // An estimate of x0, and the λ at which it was made.
    private readonly record struct Estimate(double Lambda, Tensor X0);

    private static double Lambda(double alphaBar) => 0.5 * Math.Log(alphaBar / (1 - alphaBar));

    // x at ᾱ = next, of second order where there is an older estimate and λ is finite.
    private static Tensor Predicted(Tensor x, Estimate now, Estimate? last, double alpha, double next)
    {
        if (next >= 1) return now.X0.alias();
        var h = Lambda(next) - now.Lambda;
        // By how much x0 would move over the step
        var slope = last is { } l ? (now.X0 - l.X0) * (float)(h / (now.Lambda - l.Lambda)) : null;
        return Moved(x, slope is null ? now.X0 : now.X0 + slope * 0.5f, alpha, next, h);
    }

    // The linear part exactly, x0 as a constant: √((1−ᾱ')/(1−ᾱ)) x + √ᾱ' (1 − e^−h) x0.
    private static Tensor Moved(Tensor x, Tensor x0, double alpha, double next, double h) =>
        x * (float)Math.Sqrt((1 - next) / (1 - alpha)) - x0 * (float)(Math.Sqrt(next) * Expm1(-h));

    // UniC: the last step again, now that x0 at its end is known.
    private static Tensor Corrected(Tensor before, Estimate from, Estimate? older, Estimate at, double alpha)
    {
        var h = at.Lambda - from.Lambda;
        var phi = Expm1(-h);
        var (ofOlder, ofNew) = older is { } o ? Weights(-h, (o.Lambda - from.Lambda) / h) : (0, 0.5);
        var change = (at.X0 - from.X0) * (float)ofNew;
        if (older is { } past) change += (past.X0 - from.X0) * (float)(ofOlder / ((past.Lambda - from.Lambda) / h));
        var began = 1 / (1 + Math.Exp(-2 * from.Lambda)); // ᾱ there
        return before * (float)Math.Sqrt((1 - alpha) / (1 - began)) - (from.X0 + change) * (float)(Math.Sqrt(alpha) * phi);
    }

    // Solves [1 1; r 1] ρ = b for UniC-2 (eq. 11 of the paper with B(h) = e^h − 1).
    private static (double Older, double New) Weights(double h, double r)
    {
        var b = Expm1(h);
        var first = b / h - 1;
        var second = first / h - 0.5;
        var (b1, b2) = (first / b, 2 * second / b);
        return ((b2 - b1) / (r - 1), (r * b1 - b2) / (r - 1));
    }

    private static double Expm1(double x) => Math.Abs(x) < 1e-5 ? x + x * x / 2 : Math.Exp(x) - 1;
}
