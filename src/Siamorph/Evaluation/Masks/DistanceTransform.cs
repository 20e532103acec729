using Siamorph.Imaging;

namespace Siamorph.Evaluation.Masks;

/// <summary>
/// The nearest of a set of pixels, for every pixel, exactly and in linear time (lower envelope of parabolas, Felzenszwalb
/// and Huttenlocher 2012). Of equally near ones it is that in the smallest row, then in the smallest column.
/// </summary>
/// <remarks>
/// The order of ties is part of the cost: squared distance · pixels + index. No two costs are equal then, and whole numbers
/// keep the comparison exact.
/// </remarks>
internal sealed class DistanceTransform
{
    private const int None = -1;
    private readonly int[] _nearest; // index of the nearest pixel of the set

    private DistanceTransform(ImageSize size, int[] nearest) => (Size, _nearest) = (size, nearest);

    /// <summary>Width and height.</summary>
    public ImageSize Size { get; }

    /// <summary>Distances to the pixels that are not 0.</summary>
    /// <param name="size">Width and height.</param>
    /// <param name="set">y · width + x.</param>
    /// <exception cref="ArgumentException">The length does not fit, or no pixel is set.</exception>
    public static DistanceTransform To(ImageSize size, byte[] set)
    {
        ArgumentNullException.ThrowIfNull(set);
        if (set.Length != size.Width * size.Height)
            throw new ArgumentException($"{set.Length} bytes do not make a mask of {size}.", nameof(set));
        if (set.AsSpan().IndexOfAnyExcept((byte)0) < 0)
            throw new ArgumentException("No pixel is set, so none is nearest.", nameof(set));
        var rows = NearestRows(size, set);
        var (site, start, cost) = (new int[size.Width], new int[size.Width], new long[size.Width]);
        for (var y = 0; y < size.Height; y++) AlongRow(size, y, rows, site, start, cost);
        return new(size, rows);
    }

    /// <summary>Index y · width + x of the nearest pixel of the set.</summary>
    public int NearestIndex(int index) => _nearest[index];

    /// <summary>Squared Euclidean distance to it, in pixels².</summary>
    public long Squared(int index)
    {
        var (y, x) = Math.DivRem(index, Size.Width);
        var (row, column) = Math.DivRem(_nearest[index], Size.Width);
        return (long)(y - row) * (y - row) + (long)(x - column) * (x - column);
    }

    // For each pixel the row of the nearest set pixel in its own column, of two the upper one; or None.
    private static int[] NearestRows(ImageSize size, byte[] set)
    {
        var rows = new int[set.Length];
        for (var x = 0; x < size.Width; x++)
        {
            var above = None;
            for (int y = 0, i = x; y < size.Height; y++, i += size.Width)
            {
                if (set[i] != 0) above = y;
                rows[i] = above;
            }
            var below = None;
            for (int y = size.Height - 1, i = y * size.Width + x; y >= 0; y--, i -= size.Width)
            {
                if (set[i] != 0) below = y;
                if (below != None && (rows[i] == None || below - y < y - rows[i])) rows[i] = below;
            }
        }
        return rows;
    }

    // Replaces the rows of row y by indices of the nearest pixels over all columns.
    private static void AlongRow(ImageSize size, int y, int[] rows, int[] site, int[] start, long[] cost)
    {
        long pixels = (long)size.Width * size.Height;
        var line = rows.AsSpan(y * size.Width, size.Width);
        var last = -1;
        for (var x = 0; x < line.Length; x++)
        {
            if (line[x] == None) continue;
            long drop = line[x] - y;
            // The cost of column x seen from column q is pixels · (q − x)² + this; the square of q is left out everywhere.
            var own = pixels * (drop * drop + (long)x * x) + (long)line[x] * size.Width + x;
            var from = 0;
            while (last >= 0 && (from = Overtakes(own - cost[last], 2 * pixels * (x - site[last]))) <= start[last]) last--;
            if (last < 0) from = 0;
            if (from >= line.Length) continue;
            last++;
            (site[last], start[last], cost[last]) = (x, from, own);
        }
        Span<int> nearest = size.Width <= 4096 ? stackalloc int[size.Width] : new int[size.Width];
        for (int q = 0, k = 0; q < line.Length; q++)
        {
            while (k < last && start[k + 1] <= q) k++;
            nearest[q] = line[site[k]] * size.Width + site[k];
        }
        nearest.CopyTo(line);
    }

    // The first column at which the later site is cheaper: the smallest whole q with q · slope > rise.
    private static int Overtakes(long rise, long slope)
    {
        if (rise < 0) return 0;
        return (int)Math.Min(int.MaxValue, rise / slope + 1);
    }
}
