using Siamorph.Models;

namespace Siamorph.Siamese.Benchmark;

/// <summary>
/// Floating-point operations that the method's mathematics needs, counted from shapes: two for every multiply-add of
/// convolutions, linear layers and attention products. Norms, activations, softmax, sums and the optimizer count nothing,
/// and so do savings of an implementation (a fast convolution algorithm, shared prefixes): the count says how much work is
/// done, not how.
/// </summary>
/// <param name="config">The networks' sizes.</param>
/// <param name="height">Height of the latent.</param>
/// <param name="width">Width of the latent.</param>
/// <param name="contextLength">Prompt tokens.</param>
internal sealed class Workload(DenoiserConfig config, int height, int width, int contextLength)
{
    private readonly record struct Size(long Height, long Width)
    {
        public long Pixels => Height * Width;
        public Size Half => new((Height + 1) / 2, (Width + 1) / 2);
    }

    /// <summary>Encoder and middle of the UNet, one sample.</summary>
    public double Encoder() => Encode(control: false);

    /// <summary>ControlNet without its hint encoder, one sample.</summary>
    public double Control() => Encode(control: true);

    /// <summary>Decoder and head of the UNet, one sample.</summary>
    public double Decoder()
    {
        var (total, sizes, skips) = (0.0, Sizes(), Skips());
        long channels = EncoderLayout.Width(config, sizes.Count - 1);
        for (var level = sizes.Count - 1; level >= 0; level--)
        {
            for (var i = 0; i <= config.ResidualBlocks; i++)
            {
                total += Level(level, channels + skips.Pop(), sizes[level]);
                channels = EncoderLayout.Width(config, level);
            }
            if (level > 0) total += Convolution(channels, channels, sizes[level - 1]);
        }
        return total + Convolution(channels, config.LatentChannels, sizes[0]);
    }

    /// <summary>The hint encoder, one hint.</summary>
    public double Hint()
    {
        var size = new Size((long)height * config.HintFactor, (long)width * config.HintFactor);
        long w = config.HintWidth;
        if (config.HintEncoder == HintEncoderKind.Plain) return PlainHint(size, w);
        var total = Convolution(config.HintChannels, w, size) + 2 * Convolution(w, w, size)
            + Convolution(w, 2 * w, size) + 2 * Convolution(2 * w, 2 * w, size);
        for (w *= 2; size.Height > height; w *= 2)
        {
            size = size.Half;
            total += Linear(4 * w, 2 * w, size.Pixels) + 3 * Convolution(2 * w, 2 * w, size);
        }
        return total + Convolution(w, config.ModelChannels, size);
    }

    /// <summary>
    /// One DDIM step, hint features at hand. With prompt guidance encoder, ControlNet and decoder run for both halves; with
    /// mask guidance the decoder alone does.
    /// </summary>
    public double DdimStep(int batch, GuidanceOptions guidance)
    {
        ArgumentNullException.ThrowIfNull(guidance);
        var one = Encoder() + Control() + Decoder();
        if (guidance.Scale == 1) return batch * one;
        return batch * (guidance.Kind == GuidanceKind.Prompt ? 2 * one : one + Decoder());
    }

    /// <summary>
    /// One training step with all four losses, <paramref name="augmented"/> samples of the batch in online augmentation. A
    /// backward pass counts twice its forward (inputs and weights); the image branch's decoder once (inputs alone).
    /// </summary>
    public double TrainStep(int batch, int augmented) =>
        batch * (Encoder() + 6 * Control() + 6 * Hint() + 5 * Decoder())
        + augmented * (Encoder() + 3 * Control() + 3 * Decoder());

    private double Encode(bool control)
    {
        var (total, sizes) = (0.0, Sizes());
        long channels = config.ModelChannels;
        double Zero(Size size) => control ? Linear(channels, channels, size.Pixels) : 0;
        total += Convolution(config.LatentChannels, channels, sizes[0]) + Zero(sizes[0]);
        for (var level = 0; level < sizes.Count; level++)
        {
            for (var i = 0; i < config.ResidualBlocks; i++)
            {
                total += Level(level, channels, sizes[level]);
                channels = EncoderLayout.Width(config, level);
                total += Zero(sizes[level]);
            }
            if (level + 1 < sizes.Count) total += Convolution(channels, channels, sizes[level + 1]) + Zero(sizes[level + 1]);
        }
        var last = sizes[^1];
        return total + 2 * Residual(channels, channels, last) + Transformer(channels, last) + Zero(last) + TimeEmbedding();
    }

    private double Level(int level, long channels, Size size)
    {
        long target = EncoderLayout.Width(config, level);
        return Residual(channels, target, size) + (config.AttentionFactors.Contains(1 << level) ? Transformer(target, size) : 0);
    }

    private double Residual(long channels, long target, Size size) =>
        Convolution(channels, target, size) + Convolution(target, target, size)
        + (channels == target ? 0 : Linear(channels, target, size.Pixels))
        + Linear(EncoderLayout.EmbeddingWidth(config), target, 1);

    private double Transformer(long channels, Size size)
    {
        var tokens = size.Pixels;
        var projections = Linear(channels, 8 * channels, tokens) + 2 * Linear(config.ContextWidth, channels, contextLength);
        var attention = 4.0 * tokens * (tokens + contextLength) * channels;
        return projections + attention + Linear(channels, 8 * channels, tokens) + Linear(4 * channels, channels, tokens);
    }

    private double TimeEmbedding()
    {
        var wide = EncoderLayout.EmbeddingWidth(config);
        return Linear(config.ModelChannels, wide, 1) + Linear(wide, wide, 1);
    }

    private double PlainHint(Size size, long channels)
    {
        var total = Convolution(config.HintChannels, channels, size) + Convolution(channels, channels, size);
        for (var factor = 2; factor <= config.HintFactor; factor *= 2)
        {
            long wider = PlainHintEncoder.WidthAt(config, factor);
            size = size.Half;
            total += Convolution(channels, wider, size) + (factor < config.HintFactor ? Convolution(wider, wider, size) : 0);
            channels = wider;
        }
        return total + Convolution(channels, config.ModelChannels, size);
    }

    private List<Size> Sizes()
    {
        var sizes = new List<Size> { new(height, width) };
        while (sizes.Count < config.ChannelMultipliers.Count) sizes.Add(sizes[^1].Half);
        return sizes;
    }

    private Stack<long> Skips()
    {
        var skips = new Stack<long>([config.ModelChannels]);
        for (var level = 0; level < config.ChannelMultipliers.Count; level++)
        {
            var down = level + 1 < config.ChannelMultipliers.Count ? 1 : 0;
            for (var i = 0; i < config.ResidualBlocks + down; i++) skips.Push(EncoderLayout.Width(config, level));
        }
        return skips;
    }

    private static double Convolution(long from, long to, Size size) => 2.0 * 9 * from * to * size.Pixels;

    private static double Linear(long from, long to, long rows) => 2.0 * from * to * rows;
}
