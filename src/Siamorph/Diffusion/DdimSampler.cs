using static TorchSharp.torch;

namespace Siamorph.Diffusion;

/// <summary>Where a shortened walk through the timesteps stands.</summary>
public enum TimestepSpacing
{
    /// <summary>
    /// 1, 1 + c, 1 + 2c … below T with c = ⌊T / steps⌋: the reference, which never visits the noisiest steps, and visits more
    /// than were asked for where T is no multiple of their number (31 for 30 of 1000).
    /// </summary>
    Leading,

    /// <summary>T − 1 downwards in even strides, so that sampling starts where pure noise belongs.</summary>
    Trailing,
}

/// <summary>How to walk back from noise.</summary>
internal sealed record DdimOptions
{
    /// <summary>Number of steps; see <see cref="Spacing"/> for how many are taken.</summary>
    public int Steps { get; init; } = 50;

    /// <summary>Eta of DDIM: 0 is deterministic, 1 adds as much noise as ancestral sampling.</summary>
    public double Eta { get; init; }

    /// <summary>How timesteps are spaced.</summary>
    public TimestepSpacing Spacing { get; init; } = TimestepSpacing.Leading;

    /// <summary>
    /// Whether the last step lands on the clean latent itself (ᾱ = 1) instead of on ᾱ of timestep 0, where a trace of noise
    /// stays.
    /// </summary>
    public bool SetAlphaToOne { get; init; }
}

/// <summary>State after a step, for whoever wants to watch.</summary>
/// <param name="Index">0 for the first, noisiest step.</param>
/// <param name="Timestep">The timestep the network was asked at.</param>
/// <param name="X">The new latent [B,C,H,W]; valid during the call only.</param>
/// <param name="CleanLatent">The x0 this step saw [B,C,H,W]; valid during the call only.</param>
internal readonly record struct SamplerProgress(int Index, int Timestep, Tensor X, Tensor CleanLatent);

/// <summary>
/// DDIM (Song et al. 2021, eq. 12), independent of any network: the prediction comes from a delegate, and so does the noise.
/// </summary>
internal sealed class DdimSampler : ILatentSampler
{
    private readonly ForwardProcess _process;
    private readonly DdimOptions _options;

    /// <summary>Prepares the walk.</summary>
    /// <exception cref="InvalidOptionsException">More steps than timesteps, none, or η outside [0, 1].</exception>
    public DdimSampler(ForwardProcess process, DdimOptions options)
    {
        ArgumentNullException.ThrowIfNull(process);
        ArgumentNullException.ThrowIfNull(options);
        if (options.Steps < 1 || options.Steps > process.Schedule.Count)
            throw new InvalidOptionsException($"{options.Steps} sampling steps: choose 1 to {process.Schedule.Count}.");
        if (!(options.Eta is >= 0 and <= 1)) throw new InvalidOptionsException($"η is {options.Eta}: choose 0 to 1.");
        (_process, _options) = (process, options);
        Timesteps = Walk(process.Schedule.Count, options);
    }

    /// <inheritdoc/>
    public IReadOnlyList<int> Timesteps { get; }

    /// <inheritdoc/>
    public Tensor Sample(
        Tensor x, Func<Tensor, int, Tensor> predict, Func<int, Tensor>? freshNoise = null,
        Func<Tensor, Tensor>? correct = null, Action<SamplerProgress>? watch = null, int first = 0)
    {
        ArgumentNullException.ThrowIfNull(predict);
        var current = x.alias();
        for (var k = first; k < Timesteps.Count; k++)
        {
            using var scope = NewDisposeScope();
            var (next, x0) = Step(current, k, predict, freshNoise, correct);
            watch?.Invoke(new(k, Timesteps[^(k + 1)], next, x0));
            current.Dispose();
            current = next.MoveToOuterDisposeScope();
        }
        return current;
    }

    /// <inheritdoc/>
    public int FirstStep(double strength)
    {
        if (!(strength is > 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(strength), strength, "Give a share above 0, at most 1.");
        var most = strength * (_process.Schedule.Count - 1);
        return Math.Min(Timesteps.Count(t => t > most), Timesteps.Count - 1);
    }

    /// <inheritdoc/>
    public Tensor NoisedTo(Tensor clean, Tensor noise, int index)
    {
        ArgumentNullException.ThrowIfNull(clean);
        ArgumentNullException.ThrowIfNull(noise);
        var alpha = Coefficients(index).AlphaBar;
        using var scope = NewDisposeScope();
        return (clean * (float)Math.Sqrt(alpha) + noise * (float)Math.Sqrt(1 - alpha)).MoveToOuterDisposeScope();
    }

    private (Tensor Next, Tensor X0) Step(
        Tensor x, int k, Func<Tensor, int, Tensor> predict, Func<int, Tensor>? freshNoise, Func<Tensor, Tensor>? correct)
    {
        var timestep = Timesteps[^(k + 1)];
        var (alpha, previous, sigma) = Coefficients(k);
        var (noise, x0) = Split(x, predict(x, timestep), alpha);
        if (correct is not null)
        {
            x0 = correct(x0);
            noise = Noise(x, x0, alpha);
        }
        var direction = noise * (float)Math.Sqrt(1 - previous - sigma * sigma);
        var next = x0 * (float)Math.Sqrt(previous) + direction;
        if (sigma > 0)
            next += freshNoise is null
                ? throw new ArgumentException("η > 0 needs a source of noise.", nameof(freshNoise))
                : freshNoise(k) * (float)sigma;
        return (next, x0);
    }

    private (Tensor Noise, Tensor X0) Split(Tensor x, Tensor prediction, double alpha)
    {
        var x0 = _process.CleanLatent(x, prediction, alpha);
        return (_process.PredictionType == PredictionType.Epsilon ? prediction : Noise(x, x0, alpha), x0);
    }

    private static Tensor Noise(Tensor x, Tensor x0, double alpha) =>
        (x - x0 * (float)Math.Sqrt(alpha)) / (float)Math.Sqrt(1 - alpha);

    /// <summary>ᾱ of this step, ᾱ of the next one, and σ; k = 0 is the noisiest step.</summary>
    internal (double AlphaBar, double Previous, double Sigma) Coefficients(int k)
    {
        var schedule = _process.Schedule;
        double alpha = schedule.AlphaBar[Timesteps[^(k + 1)]];
        var last = k == Timesteps.Count - 1;
        double previous = !last ? schedule.AlphaBar[Timesteps[^(k + 2)]]
            : _options.SetAlphaToOne ? 1 : schedule.AlphaBar[0];
        var sigma = _options.Eta * Math.Sqrt(Math.Max(0, (1 - previous) / (1 - alpha) * (1 - alpha / previous)));
        return (alpha, previous, sigma);
    }

    private static int[] Walk(int timesteps, DdimOptions options)
    {
        var stride = timesteps / options.Steps;
        return options.Spacing == TimestepSpacing.Leading
            ? [.. Enumerable.Range(0, (timesteps + stride - 1) / stride).Select(i => Math.Min(1 + i * stride, timesteps - 1))]
            : [.. Enumerable.Range(1, options.Steps).Select(i => (int)Math.Round(i * (double)timesteps / options.Steps) - 1)];
    }
}
