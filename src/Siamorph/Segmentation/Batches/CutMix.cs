using Siamorph.Imaging;
using static TorchSharp.torch;

namespace Siamorph.Segmentation.Batches;

/// <summary>
/// Rectangles of one image laid over another, and of their masks alike (CutMix, Yun et al. 2019; for segmentation French et al.
/// 2020).
/// </summary>
internal static class CutMix
{
    /// <summary>Gives images of a batch a rectangle of the one after it, the last one of the first.</summary>
    /// <param name="rows">The images that take part, as numbers of the batch; fewer than two leave all as it is.</param>
    /// <param name="share">Share of them that get a rectangle, drawn one by one.</param>
    /// <param name="seed">Of this batch.</param>
    /// <param name="maps">Tensors [B,C,H,W] of one height and width, changed in place: images, and their masks.</param>
    public static void Apply(IReadOnlyList<int> rows, double share, Seed seed, params Tensor[] maps)
    {
        if (rows.Count < 2) return;
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var originals = maps.Select(m => m.clone()).ToList();
        var size = new ImageSize((int)maps[0].shape[3], (int)maps[0].shape[2]);
        for (var i = 0; i < rows.Count; i++)
        {
            var random = seed.Derive(i).Random();
            var chosen = random.Chance(share);
            var (x, y, width, height) = Rectangle(size, random);
            if (!chosen || width == 0 || height == 0) continue;
            var other = rows[(i + 1) % rows.Count];
            for (var m = 0; m < maps.Length; m++) Part(maps[m], rows[i]).copy_(Part(originals[m], other));

            Tensor Part(Tensor map, int row) => map[row].narrow(1, y, height).narrow(2, x, width);
        }
    }

    // Its area is a uniform share of the image's, its shape the image's, its place anywhere within.
    private static (int X, int Y, int Width, int Height) Rectangle(ImageSize size, SeededRandom random)
    {
        var side = Math.Sqrt(random.Uniform(0, 1));
        var (width, height) = ((int)Math.Round(size.Width * side), (int)Math.Round(size.Height * side));
        return (random.Next(size.Width - width + 1), random.Next(size.Height - height + 1), width, height);
    }
}
