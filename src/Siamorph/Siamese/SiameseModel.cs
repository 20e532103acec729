using Siamorph.Models;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Siamorph.Siamese;

/// <summary>
/// The networks of Siamese-Diffusion under the authors' checkpoint keys: one UNet ("model.diffusion_model") and one
/// ControlNet ("control_model"). Mask-Diffusion and Image-Diffusion are these same networks fed with two hints.
/// </summary>
internal sealed class SiameseModel : Module
{
    /// <summary>
    /// Builds both networks and sets their first weights from the seed; ControlNet begins as a copy of the encoder.
    /// </summary>
    /// <exception cref="InvalidOptionsException">The numbers of the config don't fit together.</exception>
    public SiameseModel(DenoiserConfig config, Seed seed) : this(config)
    {
        ParameterInitializer.Initialize(this, seed);
        ControlNet.CopyEncoder(UNet);
    }

    /// <summary>Builds both networks, for weights that are loaded next.</summary>
    /// <exception cref="InvalidOptionsException">The numbers of the config don't fit together.</exception>
    public SiameseModel(DenoiserConfig config) : base(nameof(SiameseModel))
    {
        UNet = new DenoisingUNet(config);
        ControlNet = new ControlNet(config);
        register_module("model", new Holder(UNet));
        register_module("control_model", ControlNet);
    }

    /// <summary>The denoiser.</summary>
    public DenoisingUNet UNet { get; }

    /// <summary>The control.</summary>
    public ControlNet ControlNet { get; }

    /// <summary>Type of the weights.</summary>
    public TorchSharp.torch.ScalarType Type => UNet.Head.parameters().First().dtype;

    /// <summary>
    /// Keeps less for the backward pass of ControlNet and decoder, and computes more; see
    /// <see cref="DenoisingUNet.GradientCheckpointing"/>.
    /// </summary>
    public bool GradientCheckpointing
    {
        get => UNet.GradientCheckpointing;
        set => (UNet.GradientCheckpointing, ControlNet.GradientCheckpointing) = (value, value);
    }

    /// <summary>
    /// What the siamese stage trains, by checkpoint key: all of ControlNet and the UNet's decoder, unless that is locked or has
    /// LoRA, which is trained in its place.
    /// </summary>
    /// <param name="decoderLocked">True leaves the UNet as it is ("sd_locked").</param>
    public IReadOnlyList<(string Name, Parameter Parameter)> TrainableParameters(bool decoderLocked = false) =>
    [
        .. ControlNet.named_parameters().Select(p => ($"control_model.{p.name}", p.parameter)),
        .. Lora.Parameters(UNet),
        .. decoderLocked || Lora.Parameters(UNet).Count > 0 ? []
        : UNet.DecoderParameters().Select(p => ($"model.diffusion_model.{p.Name}", p.Parameter)),
    ];

    /// <summary>Lets gradients reach the trainable parameters alone.</summary>
    public void FreezeEncoder(bool decoderLocked = false)
    {
        var trainable = TrainableParameters(decoderLocked).Select(p => p.Parameter.Handle).ToHashSet();
        foreach (var parameter in parameters()) parameter.requires_grad = trainable.Contains(parameter.Handle);
    }

    private sealed class Holder : Module
    {
        public Holder(DenoisingUNet unet) : base(nameof(Holder)) => register_module("diffusion_model", unet);
    }
}
