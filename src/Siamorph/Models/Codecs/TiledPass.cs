using static TorchSharp.torch;

namespace Siamorph.Models.Codecs;

/// <summary>Runs a map of images tile by tile and blends the tiles linearly where they overlap, to save memory.</summary>
internal static class TiledPass
{
    /// <summary>The map of a whole image, in tiles where it is larger than one.</summary>
    /// <param name="x">[B,C,H,W].</param>
    /// <param name="tile">Side of a tile, in pixels of <paramref name="x"/>; 0 maps all in one piece.</param>
    /// <param name="overlap">Pixels that neighbours share.</param>
    /// <param name="scale">Pixels of the result to one of <paramref name="x"/>, along each side.</param>
    /// <param name="map">Of one tile.</param>
    public static Tensor Map(Tensor x, int tile, int overlap, double scale, Func<Tensor, Tensor> map)
    {
        var (height, width) = ((int)x.shape[2], (int)x.shape[3]);
        if (tile == 0 || height <= tile && width <= tile) return map(x);
        using var scope = NewDisposeScope();
        Tensor? sum = null, weight = null;
        foreach (var (top, tall) in Spans(height, tile, overlap))
        {
            foreach (var (left, wide) in Spans(width, tile, overlap))
            {
                using var tileScope = NewDisposeScope();
                var y = map(x.narrow(2, top, tall).narrow(3, left, wide).contiguous());
                sum ??= zeros([x.shape[0], y.shape[1], Scaled(height), Scaled(width)], y.dtype, y.device)
                    .MoveToOuterDisposeScope();
                weight ??= zeros([1, 1, Scaled(height), Scaled(width)], y.dtype, y.device).MoveToOuterDisposeScope();
                var ramp = (Ramp(y.shape[2], Scaled(overlap)).unsqueeze(1) * Ramp(y.shape[3], Scaled(overlap))).to(
                    y.dtype).to(y.device);
                sum.narrow(2, Scaled(top), y.shape[2]).narrow(3, Scaled(left), y.shape[3]).add_(y * ramp);
                weight.narrow(2, Scaled(top), y.shape[2]).narrow(3, Scaled(left), y.shape[3]).add_(ramp);
            }
        }
        return (sum! / weight!).MoveToOuterDisposeScope();

        long Scaled(int pixels) => (long)(pixels * scale);
    }

    private static IEnumerable<(int From, int Length)> Spans(int size, int tile, int overlap)
    {
        if (size <= tile) return [(0, size)];
        var count = (size - overlap + tile - overlap - 1) / (tile - overlap);
        // The last one ends with the image; overlap, tile and size are multiples of the scale, and so are all places.
        return Enumerable.Range(0, count).Select(i => (Math.Min(i * (tile - overlap), size - tile), tile));
    }

    // 1 inside, falling towards both ends over the overlap, never 0.
    private static Tensor Ramp(long length, long overlap)
    {
        var at = arange(length, float32);
        var fromEnd = minimum(at, (length - 1) - at) + 1;
        return (fromEnd / (overlap + 1f)).clamp_max(1);
    }
}
