namespace Siamorph.Segmentation.Networks;

/// <summary>
/// The numbers that every network with a backbone and a decoder has; each network starts from its published ones.
/// </summary>
internal abstract record DecoderConfig<TBackbone>
{
    private protected DecoderConfig(TBackbone backbone, int channels) => (Backbone, Channels) = (backbone, channels);

    /// <summary>The backbone's numbers.</summary>
    public TBackbone Backbone { get; init; }

    /// <summary>Channels of the decoder.</summary>
    public int Channels { get; init; }

    /// <summary>Logits a pixel.</summary>
    public int Classes { get; init; } = 1;
}
