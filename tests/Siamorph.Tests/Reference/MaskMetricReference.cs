namespace Siamorph.Tests.Reference;

/// <summary>Mask measures once more: pixel by pixel, each distance searched for, nothing counted ahead.</summary>
/// <param name="truth">0 or 1.</param>
/// <param name="levels">Map in 0 … 255.</param>
/// <param name="width">Pixels in a row.</param>
internal sealed class MaskMetricReference(int[] truth, int[] levels, int width)
{
    private const double Epsilon = 2.220446049250313e-16;
    private readonly int _height = truth.Length / width;
    private readonly int _low = levels.Max() > levels.Min() ? levels.Min() : 0;
    private readonly int _span = levels.Max() > levels.Min() ? levels.Max() - levels.Min() : 255;

    private double[] Map => Array.ConvertAll(levels, l => (double)(l - _low) / _span);

    private int[] Decision => Array.ConvertAll(levels, l => l >= 128 ? 1 : 0);

    private bool Empty => truth.All(t => t == 0);

    public Dictionary<string, double> All()
    {
        var all = new Dictionary<string, double>
        {
            ["dice"] = Overlap(Decision, (both, a, b) => 2 * both / (a + b)),
            ["iou"] = Overlap(Decision, (both, a, b) => both / (a + b - both)),
            ["mean dice"] = Thresholds().Average(d => Overlap(d, (both, a, b) => both == 0 ? 0 : 2 * both / (a + b))),
            ["max dice"] = Thresholds().Max(d => Overlap(d, (both, a, b) => both == 0 ? 0 : 2 * both / (a + b))),
            ["mean iou"] = Thresholds().Average(d => Overlap(d, (both, a, b) => both == 0 ? 0 : both / (a + b - both))),
            ["mean E"] = Thresholds().Average(Alignment),
            ["max E"] = Thresholds().Max(Alignment),
            ["MAE"] = Map.Zip(truth, (m, t) => Math.Abs(m - t)).Average(),
            ["S"] = Structure(),
            ["weighted F"] = WeightedF(),
        };
        double[] forth = Distances(Border(Decision), Border(truth)), back = Distances(Border(truth), Border(Decision));
        if (forth.Length == 0 || back.Length == 0) return all;
        double[] both = [.. forth, .. back];
        all["Hausdorff"] = both.Max();
        all["HD95"] = Percentile(both, 0.95);
        all["HD95 of directions"] = Math.Max(Percentile(forth, 0.95), Percentile(back, 0.95));
        all["mean surface distance"] = (forth.Average() + back.Average()) / 2;
        return all;
    }

    // Map ≥ t/255 for t = 0 … 255, compared in whole numbers.
    private IEnumerable<int[]> Thresholds() =>
        Enumerable.Range(0, 256).Select(t => Array.ConvertAll(levels, l => 255 * (l - _low) >= t * _span ? 1 : 0));

    // Both masks empty: 1.
    private double Overlap(int[] decision, Func<double, double, double, double> of)
    {
        var value = of(decision.Zip(truth, (d, t) => d * t).Sum(), decision.Sum(), truth.Sum());
        return double.IsNaN(value) ? 1 : value;
    }

    private double Alignment(int[] decision)
    {
        double meanD = decision.Average(), meanT = truth.Average(), sum = 0;
        for (var i = 0; i < truth.Length; i++)
        {
            double a = decision[i] - meanD, b = truth[i] - meanT;
            var aligned = 2 * a * b / (a * a + b * b + Epsilon);
            sum += Empty ? 1 - decision[i] : truth.All(t => t == 1) ? decision[i] : (1 + aligned) * (1 + aligned) / 4;
        }
        return sum / (truth.Length - 1);
    }

    private double Structure()
    {
        var map = Map;
        if (Empty) return 1 - map.Average();
        if (truth.All(t => t == 1)) return map.Average();
        double Likeness(double[] x)
        {
            var mean = x.Average();
            var deviation = x.Length < 2 ? 0 : Math.Sqrt(x.Sum(v => (v - mean) * (v - mean)) / (x.Length - 1));
            return 2 * mean / (mean * mean + 1 + deviation);
        }
        double[] Where(int label, Func<double, double> of) => [.. map.Where((_, i) => truth[i] == label).Select(of)];
        var share = truth.Average();
        var objects = share * Likeness(Where(1, v => v)) + (1 - share) * Likeness(Where(0, v => 1 - v));

        int[] set = [.. Enumerable.Range(0, truth.Length).Where(i => truth[i] == 1)];
        int Split(Func<int, int> place) => (int)Math.Round(set.Average(i => place(i) + 1.0), MidpointRounding.AwayFromZero);
        var (x, y) = (Split(i => i % width), Split(i => i / width));
        double Part(Func<int, bool> inside)
        {
            int[] pixels = [.. Enumerable.Range(0, truth.Length).Where(inside)];
            return pixels.Length == 0 ? 0 : (double)pixels.Length / truth.Length * Similarity(pixels, map);
        }
        var regions = Part(i => i % width < x && i / width < y) + Part(i => i % width >= x && i / width < y)
            + Part(i => i % width < x && i / width >= y) + Part(i => i % width >= x && i / width >= y);
        return Math.Max(0, (objects + regions) / 2);
    }

    private double Similarity(int[] pixels, double[] map)
    {
        double n = pixels.Length, x = pixels.Average(i => map[i]), y = pixels.Average(i => truth[i]);
        double Product(Func<int, double> of) => pixels.Sum(of) / (n - 1 + Epsilon);
        var above = 4 * x * y * Product(i => (map[i] - x) * (truth[i] - y));
        var below = (x * x + y * y) * (Product(i => (map[i] - x) * (map[i] - x)) + Product(i => (truth[i] - y) * (truth[i] - y)));
        return Math.Abs(above) > 1e-14 ? above / (below + Epsilon) : Math.Abs(below) < 1e-14 ? 1 : 0;
    }

    private double WeightedF()
    {
        if (Empty) return 0;
        var (map, places) = (Map, Enumerable.Range(0, truth.Length).ToArray());
        double[] errors = [.. places.Select(i => Math.Abs(map[i] - truth[i]))];
        // the first of equally near ones
        int[] nearest = [.. places.Select(i => places.Where(j => truth[j] == 1).MinBy(j => Apart(i, j)))];
        double[] copied = [.. places.Select(i => errors[nearest[i]])];
        double Smoothed(int at)
        {
            double sum = 0, all = 0;
            for (var dy = -3; dy <= 3; dy++)
                for (var dx = -3; dx <= 3; dx++)
                {
                    var (weight, y, x) = (Math.Exp(-(dx * dx + dy * dy) / 50.0), at / width + dy, at % width + dx);
                    all += weight;
                    if (y >= 0 && y < _height && x >= 0 && x < width) sum += weight * copied[y * width + x];
                }
            return sum / all;
        }
        var missed = places.Where(i => truth[i] == 1).Sum(i => Math.Min(errors[i], Smoothed(i)));
        var alarms = places.Where(i => truth[i] == 0).Sum(i => errors[i] * (2 - Math.Pow(0.5, Apart(i, nearest[i]) / 5)));
        double set = truth.Sum(), recall = 1 - missed / set, precision = (set - missed) / (set - missed + alarms + Epsilon);
        return 2 * recall * precision / (recall + precision + Epsilon);
    }

    private double Apart(int i, int j) => double.Hypot(i % width - j % width, i / width - j / width);

    // Set pixels with a neighbour at a side that is not set, or with the picture's edge there.
    private int[] Border(int[] mask) => [.. Enumerable.Range(0, mask.Length).Where(i =>
        mask[i] == 1 && new[] { (0, 1), (0, -1), (1, 0), (-1, 0) }.Any(d =>
        {
            var (y, x) = (i / width + d.Item1, i % width + d.Item2);
            return y < 0 || y >= _height || x < 0 || x >= width || mask[y * width + x] == 0;
        }))];

    private double[] Distances(int[] from, int[] to) => to.Length == 0 ? [] : [.. from.Select(i => to.Min(j => Apart(i, j)))];

    // Linear between the two numbers beside the place.
    internal static double Percentile(double[] values, double share)
    {
        double[] sorted = [.. values.Order()];
        var place = share * (sorted.Length - 1);
        var below = sorted[(int)place];
        return below + (place - (int)place) * (sorted[Math.Min((int)place + 1, sorted.Length - 1)] - below);
    }
}
