namespace Siamorph.Models.Codecs;

/// <summary>Sizes of the KL autoencoder (Rombach et al. 2022); the defaults are Stable Diffusion 1.5's.</summary>
public sealed record AutoencoderKlConfig
{
    /// <summary>Channels of an image.</summary>
    public int ImageChannels { get; init; } = 3;

    /// <summary>Width of the first level; a multiple of 32.</summary>
    public int Channels { get; init; } = 128;

    /// <summary>Width of each level as a multiple of <see cref="Channels"/>; a level less halvings.</summary>
    public IReadOnlyList<int> ChannelMultipliers { get; init; } = [1, 2, 4, 4];

    /// <summary>Residual blocks a level in the encoder; the decoder has one more.</summary>
    public int ResidualBlocks { get; init; } = 2;

    /// <summary>Channels of the latent.</summary>
    public int LatentChannels { get; init; } = 4;

    /// <summary>What latents are multiplied by after encoding, so that they have about unit variance.</summary>
    public double ScaleFactor { get; init; } = 0.18215;

    /// <summary>
    /// Side of the tiles, in pixels, in which larger images are encoded and decoded, to save memory; 0 does all in one piece.
    /// Neighbouring tiles share a quarter and are blended there, so the result differs slightly.
    /// </summary>
    public int TileSize { get; init; }

    /// <summary>Pixels of an image to one of the latent, along each side.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public int Factor => 1 << (ChannelMultipliers.Count - 1);

    /// <summary>Every fault of the numbers, empty when they fit together.</summary>
    public IReadOnlyList<string> Validate()
    {
        var faults = new List<string>();
        if (Channels < 32 || Channels % 32 != 0)
            faults.Add($"the autoencoder's channels are {Channels}; they must be a multiple of 32.");
        if (ChannelMultipliers.Count == 0 || ChannelMultipliers.Any(m => m < 1))
            faults.Add("the autoencoder's channelMultipliers must be 1 or more.");
        if (ResidualBlocks < 1) faults.Add($"the autoencoder's residualBlocks are {ResidualBlocks}; at least 1 is needed.");
        if (TileSize < 0 || ChannelMultipliers.Count > 0 && TileSize % (4 * Factor) != 0)
            faults.Add($"tileSize is {TileSize}; give 0 or a multiple of {4 * Factor}.");
        return faults;
    }
}
