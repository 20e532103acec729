using Siamorph.Acceleration;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Siamorph.Models;

/// <summary>What encoder and middle of the UNet give the decoder.</summary>
/// <param name="Embedding">Timestep embedding [B,4M].</param>
/// <param name="Skips">Outputs of the encoder blocks, first block first; [B,C,H,W] each.</param>
/// <param name="Middle">Output of the middle [B,C,H,W].</param>
internal sealed record EncodedLatent(Tensor Embedding, IReadOnlyList<Tensor> Skips, Tensor Middle);

/// <summary>
/// The denoiser of latent diffusion (Rombach et al. 2022) with ControlNet's residuals added to the middle and to the
/// skips (arXiv 2302.05543). Encoder and decoder can be run apart, so that one encoding serves several decodings.
/// </summary>
internal sealed class DenoisingUNet : Module
{
    private readonly Sequential time_embed;
    private readonly ModuleList<TimestepBlock> input_blocks;
    private readonly TimestepBlock middle_block;
    private readonly ModuleList<TimestepBlock> output_blocks;
    private readonly Sequential @out;

    /// <summary>Builds the network with libtorch's own initial weights; see <see cref="ParameterInitializer"/>.</summary>
    /// <exception cref="InvalidOptionsException">The numbers of the config don't fit together.</exception>
    public DenoisingUNet(DenoiserConfig config) : base(nameof(DenoisingUNet))
    {
        ArgumentNullException.ThrowIfNull(config);
        if (config.Validate() is { Count: > 0 } faults) throw new InvalidOptionsException(faults);
        Config = config;
        time_embed = EncoderLayout.TimeEmbedding(config);
        (input_blocks, var channels) = EncoderLayout.Encoder(config);
        middle_block = EncoderLayout.Middle(config);
        output_blocks = Decoder(config, channels);
        @out = Sequential(
            ("0", NewLayer.GroupNorm(ResidualBlock.Groups, config.ModelChannels)),
            ("1", SiLU()),
            ("2", NewLayer.Conv2d(config.ModelChannels, config.LatentChannels, 3, padding: 1)));
        RegisterComponents();
    }

    /// <summary>The sizes it was built with.</summary>
    public DenoiserConfig Config { get; }

    /// <summary>
    /// Keeps of each decoder block its inputs alone for the backward pass, and computes it again there: less memory, more time.
    /// </summary>
    public bool GradientCheckpointing { get; set; }

    internal Sequential TimeEmbed => time_embed;
    internal ModuleList<TimestepBlock> InputBlocks => input_blocks;
    internal TimestepBlock MiddleBlock => middle_block;
    internal ModuleList<TimestepBlock> OutputBlocks => output_blocks;
    internal Sequential Head => @out;

    /// <summary>Parameters of decoder and head: what the siamese stage trains of the UNet.</summary>
    public IEnumerable<(string Name, Parameter Parameter)> DecoderParameters() => named_parameters()
        .Where(p => p.name.StartsWith("output_blocks.", StringComparison.Ordinal)
        || p.name.StartsWith("out.", StringComparison.Ordinal))
        .Select(p => (p.name, p.parameter));

    /// <summary>Encoder and middle, the control not yet involved.</summary>
    /// <param name="x">Noisy latent [B,C,H,W]; H and W divisible by 2^(levels − 1).</param>
    /// <param name="timesteps">int64 [B].</param>
    /// <param name="context">Prompt tokens [B,L,D]; or k·B of them for k answers about each latent, B after B.</param>
    public EncodedLatent Encode(Tensor x, Tensor timesteps, Tensor context)
    {
        var embedding = time_embed.call(TimestepEmbedding.Of(timesteps, Config.ModelChannels, x.dtype));
        var skips = new List<Tensor>();
        var h = x;
        foreach (var block in input_blocks) skips.Add(h = block.Forward(h, embedding, context));
        return new(embedding, skips, middle_block.Forward(h, embedding, context));
    }

    /// <summary>Decoder and head.</summary>
    /// <param name="encoded">What <see cref="Encode"/> gave; left as it is.</param>
    /// <param name="context">Prompt tokens [B,L,D].</param>
    /// <param name="residuals">One for each skip, then one for the middle; null for no control.</param>
    /// <returns>Prediction [B,C,H,W].</returns>
    public Tensor Decode(EncodedLatent encoded, Tensor context, IReadOnlyList<Tensor>? residuals = null)
    {
        ArgumentNullException.ThrowIfNull(encoded);
        using var scope = NewDisposeScope();
        var h = residuals is null ? encoded.Middle.alias() : Samples.Add(encoded.Middle, residuals[^1]);
        for (var i = 0; i < output_blocks.Count; i++)
        {
            var (block, s) = (output_blocks[i], encoded.Skips.Count - 1 - i);
            var (embedding, tokens) = block.Read(encoded.Embedding, context);
            Tensor[] control = residuals is null ? [] : [residuals[s]];
            h = Recomputation.Run(GradientCheckpointing, block.Trainable, t => Joined(block, t),
                [h, encoded.Skips[s], embedding, tokens, .. control]);
        }
        var normed = FastGroupNorm.Forward((GroupNorm)@out[0], h, silu: true);
        return FastConvolution.Forward((Conv2d)@out[2], normed).MoveToOuterDisposeScope();
    }

    // A decoder block on what came before and a skip, with the control's residual where there is one.
    private static Tensor Joined(TimestepBlock block, IReadOnlyList<Tensor> inputs)
    {
        var (h, skip, embedding, context) = (inputs[0], inputs[1], inputs[2], inputs[3]);
        if (inputs.Count > 4) skip = Samples.Add(skip, inputs[4]);
        return block.Forward(cat([h, Samples.Repeat(skip, h.shape[0])], dim: 1), embedding, context);
    }

    private static ModuleList<TimestepBlock> Decoder(DenoiserConfig config, List<int> skipChannels)
    {
        var blocks = new List<TimestepBlock>();
        var skips = new Stack<int>(skipChannels);
        var channels = skipChannels[^1];
        for (var level = config.ChannelMultipliers.Count - 1; level >= 0; level--)
        {
            for (var i = 0; i <= config.ResidualBlocks; i++)
            {
                var layers = EncoderLayout.Level(config, level, channels + skips.Pop()).ToList();
                channels = EncoderLayout.Width(config, level);
                if (level > 0 && i == config.ResidualBlocks) layers.Add(new Upsample(channels));
                blocks.Add(new TimestepBlock([.. layers]));
            }
        }
        return new([.. blocks]);
    }
}
