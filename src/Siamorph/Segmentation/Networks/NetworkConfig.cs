namespace Siamorph.Segmentation.Networks;

/// <summary>Which network, and the numbers that give it its shape; stored with its weights.</summary>
public sealed record NetworkConfig
{
    /// <summary>
    /// Name: unet, unet-mobilenetv2, sanet, pranet, polyp-pvt, ctnet, segformer-b0 to -b5, or one of their small forms for a
    /// processor, such as polyp-pvt-compact.
    /// </summary>
    public string Name { get; init; } = NetworkFactory.UNet;

    /// <summary>U-Net only: channels at full resolution; they double at each of the four downsampling steps.</summary>
    public int Width { get; init; } = 16;

    /// <summary>U-Net only: bilinear upsampling and a bottleneck of half the width, instead of transposed convolutions.</summary>
    public bool Bilinear { get; init; } = true;

    /// <summary>Channels of the image.</summary>
    public int ImageChannels { get; init; } = 3;

    /// <summary>
    /// Logits per pixel; 1 for lesion against background, otherwise as many as there are classes with the background.
    /// </summary>
    public int Classes { get; init; } = 1;

    internal IEnumerable<string> Faults()
    {
        if (!NetworkFactory.Names.Contains(Name))
        {
            var meant = ClosestName.To(Name, NetworkFactory.Names) is { } name ? $"did you mean '{name}'?"
                : $"there are {string.Join(", ", NetworkFactory.Names)}.";
            yield return $"network.name '{Name}' is unknown; {meant}";
        }
        if (Width < 2) yield return $"network.width is {Width}; it has to be 2 or more.";
        if (Classes < 1) yield return $"network.classes is {Classes}; it is 1, or the number of classes with the background.";
        if (ImageChannels != 3) yield return $"network.imageChannels is {ImageChannels}; images have 3.";
    }
}
