using Siamorph.Acceleration;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Siamorph.Models;

/// <summary>
/// ControlNet (arXiv 2302.05543): a copy of the UNet's encoder and middle that reads the noisy latent plus hint features
/// and answers with one residual for each skip and one for the middle, each through a zero-convolution.
/// </summary>
internal sealed class ControlNet : Module
{
    private readonly Sequential time_embed;
    private readonly ModuleList<TimestepBlock> input_blocks;
    private readonly ModuleList<Sequential> zero_convs;
    private readonly Sequential input_hint_block;
    private readonly TimestepBlock middle_block;
    private readonly Sequential middle_block_out;

    /// <summary>Builds the network with libtorch's own initial weights; see <see cref="ParameterInitializer"/>.</summary>
    /// <exception cref="InvalidOptionsException">The numbers of the config don't fit together.</exception>
    public ControlNet(DenoiserConfig config) : base(nameof(ControlNet))
    {
        ArgumentNullException.ThrowIfNull(config);
        if (config.Validate() is { Count: > 0 } faults) throw new InvalidOptionsException(faults);
        Config = config;
        time_embed = EncoderLayout.TimeEmbedding(config);
        (input_blocks, var channels) = EncoderLayout.Encoder(config);
        zero_convs = new([.. channels.Select(PointConvolution)]);
        input_hint_block = HintEncoder(config);
        middle_block = EncoderLayout.Middle(config);
        middle_block_out = PointConvolution(channels[^1]);
        RegisterComponents();
    }

    /// <summary>The sizes it was built with.</summary>
    public DenoiserConfig Config { get; }

    /// <summary>
    /// Keeps of each block its inputs alone for the backward pass, and computes it again there: less memory, more time.
    /// </summary>
    public bool GradientCheckpointing { get; set; }

    internal Sequential TimeEmbed => time_embed;
    internal ModuleList<TimestepBlock> InputBlocks => input_blocks;
    internal ModuleList<Sequential> ZeroConvs => zero_convs;
    internal TimestepBlock MiddleBlock => middle_block;
    internal Sequential MiddleBlockOut => middle_block_out;

    /// <summary>Hint features: they depend on hint and weights alone, so one call serves many timesteps.</summary>
    /// <param name="hint">[B,3,f·H,f·W] in [0,1], f the hint factor.</param>
    /// <returns>[B,M,H,W].</returns>
    public Tensor HintFeatures(Tensor hint)
    {
        if (input_hint_block[0] is not DenseHintInput features) return input_hint_block.call(hint);
        using var scope = NewDisposeScope();
        var dense = features.Forward(hint, GradientCheckpointing);
        return FastConvolution.Forward((Conv2d)input_hint_block[1], dense).MoveToOuterDisposeScope();
    }

    /// <summary>The residuals for a noisy latent under a hint.</summary>
    /// <param name="x">Noisy latent [B,C,H,W].</param>
    /// <param name="hintFeatures">What <see cref="HintFeatures"/> gave, [B,M,H,W].</param>
    /// <param name="timesteps">int64 [B].</param>
    /// <param name="context">Prompt tokens [B,L,D]; or k·B of them for k answers about each latent, B after B.</param>
    /// <returns>One for each encoder block, first block first, then one for the middle; [B,C,H,W] each.</returns>
    public IReadOnlyList<Tensor> Residuals(Tensor x, Tensor hintFeatures, Tensor timesteps, Tensor context)
    {
        using var scope = NewDisposeScope();
        var embedding = time_embed.call(TimestepEmbedding.Of(timesteps, Config.ModelChannels, x.dtype));
        var residuals = new List<Tensor>();
        var h = x;
        for (var i = 0; i < input_blocks.Count; i++)
        {
            h = Block(input_blocks[i], h, embedding, context);
            if (i == 0) h = h + hintFeatures;
            residuals.Add(FastConvolution.Forward((Conv2d)zero_convs[i][0], h));
        }
        residuals.Add(FastConvolution.Forward((Conv2d)middle_block_out[0], Block(middle_block, h, embedding, context)));
        return [.. residuals.Select(r => r.MoveToOuterDisposeScope())];
    }

    /// <summary>Copies time embedding, encoder and middle from the UNet, as the authors' tool does.</summary>
    public void CopyEncoder(DenoisingUNet unet)
    {
        ArgumentNullException.ThrowIfNull(unet);
        using var noGrad = no_grad();
        var source = unet.state_dict();
        foreach (var (key, tensor) in state_dict())
            if (source.TryGetValue(key, out var value)) tensor.copy_(value);
    }

    private Tensor Block(TimestepBlock block, Tensor h, Tensor embedding, Tensor context)
    {
        var (time, tokens) = block.Read(embedding, context);
        return Recomputation.Run(GradientCheckpointing, block.Trainable, t => block.Forward(t[0], t[1], t[2]), h, time, tokens);
    }

    private static Sequential PointConvolution(int channels) => Sequential(("0", NewLayer.Conv2d(channels, channels, 1)));

    private static Sequential HintEncoder(DenoiserConfig config)
    {
        if (config.HintEncoder == HintEncoderKind.Plain) return PlainHintEncoder.Build(config);
        var features = new DenseHintInput(config.HintChannels, config.HintWidth,
            System.Numerics.BitOperations.Log2((uint)config.HintFactor));
        return Sequential(("0", features), ("1", NewLayer.Conv2d(features.OutChannels, config.ModelChannels, 3, padding: 1)));
    }
}
