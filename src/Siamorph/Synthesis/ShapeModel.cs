using Siamorph.Evaluation.Masks;
using Siamorph.Imaging;
using static TorchSharp.torch;

namespace Siamorph.Synthesis;

/// <summary>
/// A statistical model of lesions, fitted to masks: signed distances to the outline on a grid that moves and grows with the
/// lesion, reduced to their principal components (Leventon, Grimson and Faugeras 2000). New lesions are the given ones, moved
/// about in shape, place and size by as much as a kernel estimate of their density allows; so they stay plausible, and any number
/// can be drawn.
/// </summary>
internal sealed class ShapeModel
{
    private const int Grid = 48, MostModes = 20, Tries = 16;
    private const double Extent = 1.5; // of the grid to either side of the centre, in lesion sizes (a lesion's size is √area)
    private const double KeptVariance = 0.98, SmallestShare = 0.0005;
    private readonly IReadOnlyList<Lesion> _lesions;
    private readonly IReadOnlyList<int> _counts; // lesions of each mask that has one
    private readonly double[] _mean;
    private readonly double[][] _modes;
    private readonly double[] _deviations, _poseDeviations;
    private readonly (double Least, double Most) _areas;

    private ShapeModel(IReadOnlyList<Lesion> lesions, IReadOnlyList<int> counts, double[] mean, double[][] modes)
    {
        (_lesions, _counts, _mean, _modes) = (lesions, counts, mean, modes);
        _deviations = [.. Enumerable.Range(0, modes.Length).Select(m => Deviation(lesions.Select(l => l.Coefficients[m])))];
        _poseDeviations = [Deviation(lesions.Select(l => l.X)), Deviation(lesions.Select(l => l.Y)),
            Deviation(lesions.Select(l => Math.Log(l.Scale)))];
        _areas = (lesions.Min(l => l.Area) / 1.25, lesions.Max(l => l.Area) * 1.25);
    }

    /// <summary>Fits the model.</summary>
    /// <param name="masks">Of one size; those without a lesion are passed over.</param>
    /// <exception cref="InvalidDatasetException">No mask has a lesion.</exception>
    public static ShapeModel Fit(IReadOnlyList<LabelMap> masks)
    {
        var found = masks.Select(LesionsOf).Where(l => l.Count > 0).ToList();
        var lesions = found.SelectMany(l => l).ToList();
        if (lesions.Count == 0) throw new InvalidDatasetException(
            "shapes: no mask has a lesion, so there is no shape to learn from. Give a folder of masks with lesions.");
        using var scope = NewDisposeScope();
        var distances = tensor(lesions.SelectMany(l => l.Distances).ToArray(), [lesions.Count, Grid * Grid]);
        var mean = distances.mean([0]);
        var centred = distances - mean;
        var (values, vectors) = linalg.eigh(centred.matmul(centred.t())); // of the small matrix; eigenvalues rise
        var (energy, total) = (0.0, values.clamp_min(0).sum().item<double>());
        var modes = new List<double[]>();
        for (var k = lesions.Count - 1; k >= 0 && modes.Count < MostModes && energy < KeptVariance * total; k--)
        {
            var value = values[k].item<double>();
            if (value < 1e-9 * total) break;
            energy += value;
            modes.Add([.. (vectors.select(1, k).matmul(centred) / Math.Sqrt(value)).data<double>()]);
        }
        var middle = mean.data<double>().ToArray();
        foreach (var lesion in lesions) lesion.Coefficients = [.. modes.Select(m => Projection(lesion.Distances, middle, m))];
        return new(lesions, [.. found.Select(l => l.Count)], middle, [.. modes]);
    }

    /// <summary>A new mask of 0 and 1: a function of the seed.</summary>
    public LabelMap Draw(ImageSize size, Seed seed)
    {
        var mask = new LabelMap(size);
        var count = _counts[seed.Derive("count").Random().Next(_counts.Count)];
        for (var i = 0; i < count; i++)
        {
            var lesion = OneLesion(size, seed.Derive(i));
            for (var p = 0; p < lesion.Length; p++) mask.Labels[p] |= lesion[p];
        }
        return mask;
    }

    // One lesion; after some tries that are no lesion of that kind, one of the given ones in its place.
    private byte[] OneLesion(ImageSize size, Seed seed)
    {
        Lesion? origin = null;
        for (var attempt = 0; attempt < Tries; attempt++)
        {
            var random = seed.Derive(attempt).Random();
            var chosen = _lesions[random.Next(_lesions.Count)];
            origin ??= chosen;
            if (Plausible(size, Rendered(size, Shape(chosen, random), Pose(chosen, random))) is { } lesion) return lesion;
        }
        return Rendered(size, origin!.Distances, (origin.X, origin.Y, origin.Scale)).Pixels;
    }

    // The bandwidth of a kernel estimate (Silverman), with the spread of the whole kept as it is.
    private double[] Shape(Lesion lesion, SeededRandom random)
    {
        var bandwidth = Math.Pow(_lesions.Count, -1.0 / (_modes.Length + 4));
        var distances = (double[])_mean.Clone();
        for (var m = 0; m < _modes.Length; m++)
        {
            var coefficient = (lesion.Coefficients[m] + bandwidth * _deviations[m] * random.Normal()) / Math.Sqrt(1
                + bandwidth * bandwidth);
            for (var i = 0; i < distances.Length; i++) distances[i] += coefficient * _modes[m][i];
        }
        return distances;
    }

    private (double X, double Y, double Scale) Pose(Lesion lesion, SeededRandom random)
    {
        var bandwidth = Math.Pow(_lesions.Count, -1.0 / 7);
        double Moved(int i) => bandwidth * _poseDeviations[i] * random.Normal();
        return (lesion.X + Moved(0), lesion.Y + Moved(1), lesion.Scale * Math.Exp(Moved(2)));
    }

    // Where the distance is below 0; and how many pixels it had without the image's border.
    private static (byte[] Pixels, int Whole) Rendered(
        ImageSize size, double[] distances, (double X, double Y, double Scale) pose)
    {
        var pixels = new byte[size.Width * size.Height];
        var (unit, whole) = (pose.Scale * Math.Sqrt((double)size.Width * size.Height), 0);
        var reach = (int)Math.Ceiling(Extent * unit);
        var (centreX, centreY) = (pose.X * size.Width, pose.Y * size.Height);
        for (var y = (int)centreY - reach; y <= centreY + reach; y++)
            for (var x = (int)centreX - reach; x <= centreX + reach; x++)
            {
                var (u, v) = (Cell((x + 0.5 - centreX) / unit), Cell((y + 0.5 - centreY) / unit));
                if (u < 0 || v < 0 || u > Grid - 1 || v > Grid - 1 || Bilinear(distances, Grid, Grid, u, v) >= 0) continue;
                whole++;
                if (x >= 0 && y >= 0 && x < size.Width && y < size.Height) pixels[y * size.Width + x] = 1;
            }
        return (pixels, whole);
    }

    // One piece, most of it within the image, as large as the given ones.
    private byte[]? Plausible(ImageSize size, (byte[] Pixels, int Whole) drawn)
    {
        var area = drawn.Pixels.Count(p => p != 0);
        var share = (double)area / drawn.Pixels.Length;
        if (area < drawn.Whole / 2 || share < _areas.Least || share > _areas.Most) return null;
        return ConnectedComponents.Of(new LabelMap(size, drawn.Pixels)).Count == 1 ? drawn.Pixels : null;
    }

    private static List<Lesion> LesionsOf(LabelMap mask)
    {
        var regions = ConnectedComponents.Of(mask);
        return [.. Enumerable.Range(1, regions.Count)
            .Where(r => regions.Areas[r - 1] >= Math.Max(4, SmallestShare * mask.Labels.Length)
            && regions.Areas[r - 1] < mask.Labels.Length)
            .Select(r => LesionOf(mask.Size, [.. regions.Labels.Select(l => l == r ? (byte)1 : (byte)0)]))];
    }

    private static Lesion LesionOf(ImageSize size, byte[] pixels)
    {
        var signed = SignedDistances(size, pixels);
        double area = 0, sumX = 0, sumY = 0;
        for (var i = 0; i < pixels.Length; i++)
        {
            if (pixels[i] == 0) continue;
            (area, sumX, sumY) = (area + 1, sumX + i % size.Width + 0.5, sumY + i / size.Width + 0.5);
        }
        var (unit, centreX, centreY) = (Math.Sqrt(area), sumX / area, sumY / area);
        var distances = new double[Grid * Grid];
        for (var i = 0; i < distances.Length; i++)
        {
            double x = centreX + Offset(i % Grid) * unit - 0.5, y = centreY + Offset(i / Grid) * unit - 0.5;
            double insideX = Math.Clamp(x, 0, size.Width - 1), insideY = Math.Clamp(y, 0, size.Height - 1);
            var distance = Bilinear(signed, size.Width, size.Height, insideX, insideY);
            // A lesion at the border goes on beyond it
            if (distance > 0) distance += Math.Sqrt((x - insideX) * (x - insideX) + (y - insideY) * (y - insideY));
            distances[i] = distance / unit;
        }
        return new(distances, centreX / size.Width, centreY / size.Height, unit / Math.Sqrt(pixels.Length), area / pixels.Length);
    }

    // In pixels, below 0 within; half a pixel is where the outline runs.
    private static double[] SignedDistances(ImageSize size, byte[] pixels)
    {
        var (to, from) = (DistanceTransform.To(size, pixels),
            DistanceTransform.To(size, [.. pixels.Select(p => p == 0 ? (byte)1 : (byte)0)]));
        return [.. pixels.Select((p, i) => p == 0 ? Math.Sqrt(to.Squared(i)) - 0.5 : 0.5 - Math.Sqrt(from.Squared(i)))];
    }

    private static double Offset(int cell) => (2.0 * cell / (Grid - 1) - 1) * Extent;

    private static double Cell(double offset) => (offset / Extent + 1) / 2 * (Grid - 1);

    private static double Bilinear(double[] values, int width, int height, double x, double y)
    {
        int left = Math.Min((int)x, width - 2), top = Math.Min((int)y, height - 2);
        double right = x - left, down = y - top;
        var at = top * width + left;
        return (1 - down) * ((1 - right) * values[at] + right * values[at + 1])
            + down * ((1 - right) * values[at + width] + right * values[at + width + 1]);
    }

    private static double Projection(double[] distances, double[] mean, double[] mode)
    {
        var sum = 0.0;
        for (var i = 0; i < mode.Length; i++) sum += (distances[i] - mean[i]) * mode[i];
        return sum;
    }

    private static double Deviation(IEnumerable<double> values)
    {
        var all = values.ToList();
        var mean = all.Average();
        return Math.Sqrt(all.Sum(v => (v - mean) * (v - mean)) / all.Count);
    }

    // A lesion as it is: distances on the grid in lesion sizes, centre as a share of width and height, size and area as shares of
    // the image.
    private sealed record Lesion(double[] Distances, double X, double Y, double Scale, double Area)
    {
        public double[] Coefficients { get; set; } = [];
    }
}
