using Siamorph.Imaging;

namespace Siamorph.Segmentation.Batches;

/// <summary>Whether a network trains at several image sizes.</summary>
public enum MultiScale
{
    /// <summary>At one.</summary>
    None,

    /// <summary>Each batch is used three times, at ¾, 1 and 1¼ of the size (PraNet, Polyp-PVT, CTNet).</summary>
    ThreeSizes,

    /// <summary>Each batch is used once, at 8, 9, 10 or 11 elevenths of the size, with weights 1 to 4 (SANet).</summary>
    RandomSize,
}

/// <summary>The sizes of a training run's batches; a function of step and seed alone.</summary>
internal static class MultiScaleSizes
{
    private const double Grain = 32;
    private static readonly double[] Ratios = [0.75, 1, 1.25];

    /// <summary>¾, 1 and 1¼ of a side, each to the next multiple of 32.</summary>
    public static int[] Three(int side) =>
        [.. Ratios.Select(r => Math.Max((int)Grain, (int)(Math.Round(side * r / Grain) * Grain)))];

    /// <summary>Which batch a step takes: of three sizes, three steps share one.</summary>
    public static long BatchOf(MultiScale scale, long step) => scale == MultiScale.ThreeSizes ? step / 3 : step;

    /// <summary>The size of a step.</summary>
    public static ImageSize At(MultiScale scale, ImageSize size, long step, Seed seed) => scale switch
    {
        MultiScale.ThreeSizes => new(Three(size.Width)[step % 3], Three(size.Height)[step % 3]),
        MultiScale.RandomSize => Part(size, Elevenths(seed.Derive("size").Derive(step).Random().NextDouble())),
        _ => size,
    };

    private static int Elevenths(double drawn) => drawn < 0.1 ? 8 : drawn < 0.3 ? 9 : drawn < 0.6 ? 10 : 11;

    private static ImageSize Part(ImageSize size, int elevenths)
    {
        int Of(int side) => Math.Max(16, (int)Math.Round(side * elevenths / 11.0));
        return new(Of(size.Width), Of(size.Height));
    }
}
