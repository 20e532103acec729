using Siamorph.Acceleration;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Siamorph.Models.Codecs;

/// <summary>
/// The KL autoencoder of Stable Diffusion (Rombach et al. 2022): an image becomes mean and log-variance of a Gaussian over
/// latents, and a latent becomes an image. It stays as it was trained; no gradient passes.
/// </summary>
internal sealed class AutoencoderKl : Module, ILatentCodec
{
    private const double LeastLogVariance = -30;
    private const double LargestLogVariance = 20;
    private readonly KlEncoder encoder;
    private readonly KlDecoder decoder;
    private readonly Conv2d quant_conv;
    private readonly Conv2d post_quant_conv;

    /// <summary>Builds the network with libtorch's own initial weights, for weights that are loaded next.</summary>
    /// <exception cref="InvalidOptionsException">The numbers of the config don't fit together.</exception>
    public AutoencoderKl(AutoencoderKlConfig config) : base(nameof(AutoencoderKl))
    {
        ArgumentNullException.ThrowIfNull(config);
        if (config.Validate() is { Count: > 0 } faults) throw new InvalidOptionsException(faults);
        Config = config;
        (encoder, decoder) = (new KlEncoder(config), new KlDecoder(config));
        quant_conv = NewLayer.Conv2d(2 * config.LatentChannels, 2 * config.LatentChannels, 1);
        post_quant_conv = NewLayer.Conv2d(config.LatentChannels, config.LatentChannels, 1);
        RegisterComponents();
    }

    /// <summary>The sizes it was built with.</summary>
    public AutoencoderKlConfig Config { get; }

    /// <inheritdoc/>
    public int Factor => Config.Factor;

    /// <inheritdoc/>
    public int Channels => Config.LatentChannels;

    /// <inheritdoc/>
    public bool IsPretrained => true;

    /// <inheritdoc/>
    public void Fit(Tensor images) { } // its scale is part of the config

    /// <summary>Mean and log-variance of the latents, not scaled, the log-variance not clamped.</summary>
    /// <param name="images">[B,3,H,W] in [-1,1]; H and W divisible by the factor.</param>
    /// <returns>[B,2C,H/f,W/f]: means, then log-variances.</returns>
    public Tensor Moments(Tensor images)
    {
        using var noGrad = no_grad();
        return TiledPass.Map(images, Config.TileSize, Config.TileSize / 4, 1.0 / Factor, part =>
        {
            using var h = encoder.call(part);
            return FastConvolution.Forward(quant_conv, h);
        });
    }

    /// <inheritdoc/>
    public Tensor Latent(Tensor moments, Tensor? noise = null)
    {
        ArgumentNullException.ThrowIfNull(moments);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var halves = moments.chunk(2, dim: 1);
        var latent = noise is null ? halves[0]
            : halves[0] + noise * (halves[1].clamp(LeastLogVariance, LargestLogVariance) * 0.5f).exp();
        return (latent * (float)Config.ScaleFactor).MoveToOuterDisposeScope();
    }

    /// <summary>The mean latents, scaled.</summary>
    /// <inheritdoc/>
    public Tensor Encode(Tensor images)
    {
        using var moments = Moments(images);
        return Latent(moments);
    }

    /// <inheritdoc/>
    public Tensor Decode(Tensor latents)
    {
        ArgumentNullException.ThrowIfNull(latents);
        using var noGrad = no_grad();
        using var unscaled = latents / (float)Config.ScaleFactor;
        return DecodeUnscaled(unscaled);
    }

    /// <summary>Images of latents as <see cref="Moments"/> gives them: not scaled.</summary>
    /// <param name="latents">[B,C,h,w].</param>
    /// <returns>[B,3,f·h,f·w]; values may lie outside [-1,1].</returns>
    public Tensor DecodeUnscaled(Tensor latents)
    {
        using var noGrad = no_grad();
        var tile = Config.TileSize / Factor;
        return TiledPass.Map(latents, tile, tile / 4, Factor, part =>
        {
            using var h = FastConvolution.Forward(post_quant_conv, part);
            return decoder.call(h);
        });
    }

    /// <inheritdoc/>
    public Tensor ClampPixels(Tensor latents)
    {
        ArgumentNullException.ThrowIfNull(latents);
        return latents.alias();
    }

    private sealed class KlEncoder : Module<Tensor, Tensor>
    {
        private readonly Conv2d conv_in;
        private readonly ModuleList<KlLevel> down;
        private readonly KlMiddle mid;
        private readonly GroupNorm norm_out;
        private readonly Conv2d conv_out;

        public KlEncoder(AutoencoderKlConfig config) : base(nameof(KlEncoder))
        {
            conv_in = NewLayer.Conv2d(config.ImageChannels, config.Channels, 3, padding: 1);
            var levels = new List<KlLevel>();
            var channels = config.Channels;
            foreach (var (multiplier, level) in config.ChannelMultipliers.Select((m, i) => (m, i)))
            {
                var width = multiplier * config.Channels;
                var last = level == config.ChannelMultipliers.Count - 1;
                levels.Add(new(channels, width, config.ResidualBlocks, down: last ? null : new KlDownsample(width)));
                channels = width;
            }
            down = new([.. levels]);
            mid = new(channels);
            norm_out = NewLayer.GroupNorm(KlResidual.Groups, channels, KlResidual.NormEpsilon);
            conv_out = NewLayer.Conv2d(channels, 2 * config.LatentChannels, 3, padding: 1);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            var h = FastConvolution.Forward(conv_in, x);
            foreach (var level in down) h = level.call(h);
            h = FastGroupNorm.Forward(norm_out, mid.call(h), silu: true);
            return FastConvolution.Forward(conv_out, h).MoveToOuterDisposeScope();
        }
    }

    // Levels are listed from the largest image down and run from the smallest up.
    private sealed class KlDecoder : Module<Tensor, Tensor>
    {
        private readonly Conv2d conv_in;
        private readonly KlMiddle mid;
        private readonly ModuleList<KlLevel> up;
        private readonly GroupNorm norm_out;
        private readonly Conv2d conv_out;

        public KlDecoder(AutoencoderKlConfig config) : base(nameof(KlDecoder))
        {
            var channels = config.ChannelMultipliers[^1] * config.Channels;
            conv_in = NewLayer.Conv2d(config.LatentChannels, channels, 3, padding: 1);
            mid = new(channels);
            var levels = new List<KlLevel>();
            for (var level = config.ChannelMultipliers.Count - 1; level >= 0; level--)
            {
                var width = config.ChannelMultipliers[level] * config.Channels;
                levels.Insert(0, new(channels, width, config.ResidualBlocks + 1, up: level == 0 ? null : new Upsample(width)));
                channels = width;
            }
            up = new([.. levels]);
            norm_out = NewLayer.GroupNorm(KlResidual.Groups, channels, KlResidual.NormEpsilon);
            conv_out = NewLayer.Conv2d(channels, config.ImageChannels, 3, padding: 1);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            var h = mid.call(FastConvolution.Forward(conv_in, x));
            foreach (var level in up.Reverse()) h = level.call(h);
            return FastConvolution.Forward(conv_out, FastGroupNorm.Forward(norm_out, h, silu: true)).MoveToOuterDisposeScope();
        }
    }
}
