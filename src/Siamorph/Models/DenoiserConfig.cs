namespace Siamorph.Models;

/// <summary>Which network turns a hint into features.</summary>
public enum HintEncoderKind
{
    /// <summary>Dense Hint Input (arXiv 2505.06068): residual blocks and patch merging.</summary>
    Dense,

    /// <summary>The small convolution stack of ControlNet (arXiv 2302.05543).</summary>
    Plain,
}

/// <summary>Sizes of the UNet and its ControlNet; stored with the weights.</summary>
public sealed record DenoiserConfig
{
    /// <summary>Channels of the latent.</summary>
    public int LatentChannels { get; init; } = 4;

    /// <summary>Width of the first level; a multiple of 32.</summary>
    public int ModelChannels { get; init; } = 320;

    /// <summary>Width of each level as a multiple of <see cref="ModelChannels"/>; the first is 1.</summary>
    public IReadOnlyList<int> ChannelMultipliers { get; init; } = [1, 2, 4, 4];

    /// <summary>Residual blocks a level in the encoder; the decoder has one more.</summary>
    public int ResidualBlocks { get; init; } = 2;

    /// <summary>Downsampling factors that have spatial transformers; the middle always has one.</summary>
    public IReadOnlyList<int> AttentionFactors { get; init; } = [1, 2, 4];

    /// <summary>Attention heads.</summary>
    public int Heads { get; init; } = 8;

    /// <summary>Channels of a context token.</summary>
    public int ContextWidth { get; init; } = 768;

    /// <summary>Channels of a hint image.</summary>
    public int HintChannels { get; init; } = 3;

    /// <summary>Downsampling factor from hint to latent: 2, 4, 8 …</summary>
    public int HintFactor { get; init; } = 8;

    /// <summary>Channels after the first convolution of the hint encoder.</summary>
    public int HintWidth { get; init; } = 16;

    /// <summary>Hint encoder.</summary>
    public HintEncoderKind HintEncoder { get; init; } = HintEncoderKind.Dense;

    /// <summary>Every fault of the numbers, empty when they fit together.</summary>
    public IReadOnlyList<string> Validate()
    {
        var faults = new List<string>();
        if (ModelChannels < 32 || ModelChannels % 32 != 0)
            faults.Add($"modelChannels is {ModelChannels}; it must be a multiple of 32.");
        if (ChannelMultipliers.Count == 0 || ChannelMultipliers[0] != 1) faults.Add("channelMultipliers must start with 1.");
        if (ChannelMultipliers.Any(m => m < 1 || m * ModelChannels % Heads != 0))
            faults.Add($"every level's width must be divisible by the {Heads} heads.");
        if (ResidualBlocks < 1) faults.Add($"residualBlocks is {ResidualBlocks}; at least 1 is needed.");
        if (HintFactor < 2 || !System.Numerics.BitOperations.IsPow2(HintFactor))
            faults.Add($"hintFactor is {HintFactor}; it must be a power of two.");
        return faults;
    }
}
