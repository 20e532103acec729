using Siamorph.Diffusion;
using Siamorph.Models;
using Siamorph.Models.Codecs;
using Siamorph.Models.Text;

namespace Siamorph.Siamese;

/// <summary>Named options: data, never branches in the code.</summary>
public static class Presets
{
    /// <summary>64 px on two CPU cores in minutes: wavelet latent 48×16×16, x0-prediction, mask guidance.</summary>
    public static TrainOptions Tiny { get; } = new()
    {
        ImageSize = 64,
        Network = new DenoiserConfig
        {
            LatentChannels = 48,
            ModelChannels = 64,
            ChannelMultipliers = [1, 2, 2],
            ResidualBlocks = 1,
            AttentionFactors = [4],
            Heads = 8,
            ContextWidth = 64,
            HintFactor = 4,
            HintWidth = 8,
        },
        Schedule = new ScheduleOptions { Kind = ScheduleKind.Cosine },
        PredictionType = PredictionType.Sample,
        Losses = new SiameseLossOptions { Weighting = LossWeighting.TruncatedSnr },
        Base = new StageOptions
        {
            Steps = 600, LearningRate = 1e-3, WarmupSteps = 50, FlatFraction = 0.5, ClipNorm = 1, EmaDecay = 0.995,
        },
        Siamese = new StageOptions
        {
            Steps = 200, LearningRate = 5e-4, WarmupSteps = 50, FlatFraction = 0.5, ClipNorm = 1, EmaDecay = 0.995,
        },
        CfgDropout = 0.1,
        HorizontalFlip = true,
        Sampling = new SamplingOptions
        {
            Steps = 20, Spacing = TimestepSpacing.Trailing, SetAlphaToOne = true,
            GuidanceKind = GuidanceKind.Mask, GuidanceScale = 2, ClampPixels = true,
        },
    };

    /// <summary>The same at 128 px, wider.</summary>
    public static TrainOptions Small { get; } = Tiny with
    {
        ImageSize = 128,
        Network = Tiny.Network with { ModelChannels = 96, ChannelMultipliers = [1, 2, 2, 2], AttentionFactors = [4, 8] },
        Base = Tiny.Base with { Steps = 4000 },
        Siamese = Tiny.Siamese with { Steps = 1500 },
    };

    /// <summary>
    /// 128 px with a UNet as large as that of <see cref="Tiny"/>: latents of a small autoencoder, whose files the user gives.
    /// </summary>
    public static TrainOptions TinyTaef2 { get; } = Tiny with
    {
        ImageSize = 128,
        Network = Tiny.Network with { LatentChannels = 32, HintFactor = 8 },
        Base = Tiny.Base with { Steps = 2500 },
        Siamese = Tiny.Siamese with { Steps = 700 },
    };

    /// <summary>
    /// The paper's model at 384 px on top of Stable Diffusion 1.5, as its code trains and samples it; needs the user's weights.
    /// </summary>
    public static TrainOptions Sd15 { get; } = new()
    {
        Autoencoder = new AutoencoderKlConfig(),
        TextModel = new ClipTextConfig(),
        Siamese = new StageOptions { Steps = 3000, BatchSize = 1, Accumulation = 6 },
        GradientCheckpointing = true,
        OptimizerState = OptimizerStorage.Disk,
        PreviewCount = 2,
    };

    /// <summary>
    /// The presets as an experiment trains them: "tiny" long enough for pairs that were measured to help (docs/results).
    /// </summary>
    public static IReadOnlyDictionary<string, TrainOptions> ForExperiments { get; } = new Dictionary<string, TrainOptions>
    {
        ["tiny"] = Tiny with { Base = Tiny.Base with { Steps = 2500 }, Siamese = Tiny.Siamese with { Steps = 700 } },
        ["small"] = Small,
        ["tiny-taef2"] = TinyTaef2,
        ["sd15"] = Sd15,
    };

    /// <summary>Every preset by name; the first is the default.</summary>
    public static IReadOnlyDictionary<string, TrainOptions> All { get; } = new Dictionary<string, TrainOptions>
    {
        ["tiny"] = Tiny,
        ["small"] = Small,
        ["tiny-taef2"] = TinyTaef2,
        ["sd15"] = Sd15,
    };
}
