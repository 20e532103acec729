using Siamorph.Diffusion;

namespace Siamorph.Tests.Reference;

/// <summary>What a training step reads, as plain numbers.</summary>
internal sealed record SiameseInputs(Grid CleanLatent, Grid Noise, long[] Timesteps, Grid Context, Grid MaskHint, Grid ImageHint);

/// <summary>The four losses of Siamese-Diffusion, each computed straight from its formula; nothing is shared to save
/// work.</summary>
/// <param name="denoiser">The networks.</param>
/// <param name="type">What they predict.</param>
/// <param name="truncated">True weighs a sample by min(1 + SNR, 10), false all alike.</param>
internal sealed class SiameseReference(DenoiserReference denoiser, PredictionType type, bool truncated)
{
    /// <summary>ᾱ of Stable Diffusion's schedule: √β in 1000 even steps from √0.00085 to √0.012.</summary>
    public static double[] AlphaBars { get; } = Products();

    public sealed record Result(Grid MaskPrediction, Grid ImagePrediction, Grid? AugmentedPrediction, IReadOnlyDictionary<string,
        Grid> Losses);

    /// <summary>Predictions, and the loss of each sample by name, [B].</summary>
    /// <param name="inputs">The batch.</param>
    /// <param name="ramp">Weight of the image's control in the mix.</param>
    /// <param name="augmented">Samples of online augmentation.</param>
    public Result Run(SiameseInputs inputs, double ramp, int[] augmented)
    {
        var noisy = Noised(inputs.CleanLatent, inputs.Noise, inputs.Timesteps);
        var target = Target(inputs);
        var byMask = denoiser.Residuals(noisy, denoiser.HintFeatures(inputs.MaskHint), inputs.Timesteps, inputs.Context);
        var byImage = denoiser.Residuals(noisy, denoiser.HintFeatures(inputs.ImageHint), inputs.Timesteps, inputs.Context);
        Grid Decoded(IReadOnlyList<Grid> control) =>
            denoiser.Decode(denoiser.Encode(noisy, inputs.Timesteps, inputs.Context), inputs.Context, control);

        var mask = Decoded(byMask);
        // The mask's share of the mix is held fast, and so is the decoder.
        var image = denoiser.Freezing("model.", () =>
            Decoded([.. byMask.Zip(byImage, (m, i) => m.Constant.Plus(i.Times(ramp)))]));
        var losses = new Dictionary<string, Grid>
        {
            ["mask"] = Squared(mask, target, inputs.Timesteps),
            ["image"] = Squared(image, target, inputs.Timesteps),
            ["consistency"] = Squared(mask, image.Constant, inputs.Timesteps),
        };
        if (augmented.Length == 0) return new(mask, image, null, losses);

        Grid Of(Grid all) => all.Samples(augmented);
        long[] timesteps = [.. augmented.Select(s => inputs.Timesteps[s])];
        var restored = Clean(Of(noisy), Of(image.Constant), timesteps);
        var again = Noised(restored, Of(inputs.Noise), timesteps);
        var context = Of(inputs.Context);
        var control = denoiser.Residuals(again, denoiser.HintFeatures(Of(inputs.MaskHint)), timesteps, context);
        var prediction = denoiser.Decode(denoiser.Encode(again, timesteps, context), context, control);
        var some = Squared(prediction, Of(target), timesteps);
        losses["augmentation"] = some.Pick([inputs.Timesteps.Length], p => Array.IndexOf(augmented, p[0]));
        return new(mask, image, prediction, losses);
    }

    private Grid Squared(Grid prediction, Grid target, long[] timesteps)
    {
        var size = prediction.Count / timesteps.Length;
        var sums = prediction.Minus(target).Map(d => d * d, d => 2 * d).Sums(timesteps.Length);
        return sums.Times(new Grid([timesteps.Length], Array.ConvertAll(timesteps, t => Weight(t) / size)));
    }

    private double Weight(long t) => truncated ? Math.Min(1 / (1 - AlphaBars[t]), 10) : 1; // 1 + ᾱ/(1 − ᾱ)

    private static Grid Noised(Grid clean, Grid noise, long[] timesteps) =>
        Sum(clean, Math.Sqrt, noise, a => Math.Sqrt(1 - a), timesteps);

    private Grid Target(SiameseInputs inputs) => type switch
    {
        PredictionType.Epsilon => inputs.Noise,
        PredictionType.Sample => inputs.CleanLatent,
        _ => Sum(inputs.Noise, Math.Sqrt, inputs.CleanLatent, a => -Math.Sqrt(1 - a), inputs.Timesteps),
    };

    private Grid Clean(Grid noisy, Grid prediction, long[] timesteps) => type switch
    {
        PredictionType.Epsilon => Sum(noisy, a => 1 / Math.Sqrt(a), prediction, a => -Math.Sqrt(1 - a) / Math.Sqrt(a), timesteps),
        PredictionType.Sample => prediction,
        _ => Sum(noisy, Math.Sqrt, prediction, a => -Math.Sqrt(1 - a), timesteps),
    };

    // f(ᾱ)·a + g(ᾱ)·b with each sample's ᾱ.
    private static Grid Sum(Grid a, Func<double, double> f, Grid b, Func<double, double> g, long[] timesteps)
    {
        var size = a.Count / timesteps.Length;
        double At(int i) => AlphaBars[timesteps[i / size]];
        return new(a.Shape, [.. a.Data.Select((v, i) => f(At(i)) * v + g(At(i)) * b.Data[i])]);
    }

    private static double[] Products()
    {
        var (bars, product, first, last) = (new double[1000], 1.0, Math.Sqrt(0.00085), Math.Sqrt(0.012));
        for (var t = 0; t < bars.Length; t++) bars[t] = product *= 1 - Math.Pow(first + (last - first) * t / 999, 2);
        return bars;
    }
}
