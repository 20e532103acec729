namespace Siamorph.Segmentation.Networks;

/// <summary>Makes segmentation networks by name.</summary>
internal static class NetworkFactory
{
    internal const string UNet = "unet";

    private static readonly PyramidTransformerConfig SmallTransformer = new()
    {
        Widths = [32, 64, 96, 128], Depths = [1, 1, 1, 1], Heads = [1, 2, 3, 4], Reductions = [4, 2, 1, 1], DropPath = 0,
    };

    private static readonly Res2NetConfig SmallRes2Net = new() { Planes = 16, StemWidth = 16, Depths = [1, 1, 1, 1] };

    private static readonly Dictionary<string, Func<NetworkConfig, SegmentationNetwork>> Makers = new()
    {
        [UNet] = c => new UNet(new()
        {
            Width = c.Width, Bilinear = c.Bilinear, ImageChannels = c.ImageChannels, Classes = c.Classes,
        }),
        ["unet-mobilenetv2"] = c => new MobileUNet(c.Classes),
        ["sanet"] = c => new SANet(new() { Classes = c.Classes }),
        ["sanet-compact"] = c => new SANet(new() { Backbone = SmallRes2Net, Channels = 32, Classes = c.Classes }),
        ["pranet"] = c => new PraNet(new() { Classes = c.Classes }),
        ["pranet-compact"] = c => new PraNet(new()
        {
            Backbone = SmallRes2Net, Channels = 16, DeepBranch = 64, ShallowBranch = 32, Classes = c.Classes,
        }),
        ["polyp-pvt"] = c => new PolypPvt(new() { Classes = c.Classes }),
        ["polyp-pvt-compact"] = c => new PolypPvt(new() { Backbone = SmallTransformer, Classes = c.Classes }),
        ["ctnet"] = c => new CTNet(new() { Classes = c.Classes }),
        ["ctnet-compact"] = c => new CTNet(new() { Backbone = SmallTransformer, Classes = c.Classes }),
        ["segformer-b0"] = c => new SegFormer(SegFormerConfig.Of(0) with { Classes = c.Classes }),
        ["segformer-b1"] = c => new SegFormer(SegFormerConfig.Of(1) with { Classes = c.Classes }),
        ["segformer-b2"] = c => new SegFormer(SegFormerConfig.Of(2) with { Classes = c.Classes }),
        ["segformer-b3"] = c => new SegFormer(SegFormerConfig.Of(3) with { Classes = c.Classes }),
        ["segformer-b4"] = c => new SegFormer(SegFormerConfig.Of(4) with { Classes = c.Classes }),
        ["segformer-b5"] = c => new SegFormer(SegFormerConfig.Of(5) with { Classes = c.Classes }),
        ["segformer-compact"] = c => new SegFormer(new() { Backbone = SmallTransformer, Channels = 64, Classes = c.Classes }),
    };

    /// <summary>Every name that <see cref="Create"/> knows.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Makers.Keys];

    /// <summary>Makes a network with torch's default initial weights.</summary>
    /// <exception cref="InvalidOptionsException">The name is unknown or a number is out of range.</exception>
    public static SegmentationNetwork Create(NetworkConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var faults = config.Faults().ToList();
        return faults.Count == 0 ? Makers[config.Name](config) : throw new InvalidOptionsException(faults);
    }
}
