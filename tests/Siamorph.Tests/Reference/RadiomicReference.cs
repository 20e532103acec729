namespace Siamorph.Tests.Reference;

/// <summary>
/// Radiomic textures once more, straight from the definitions: matrices as lists of what was counted, features as sums over them.
/// </summary>
/// <param name="bins">Grey level of each pixel from 1; 0 outside the region.</param>
/// <param name="width">Pixels in a row.</param>
internal sealed class RadiomicReference(int[] bins, int width)
{
    private static readonly (int Y, int X)[] Directions = [(0, 1), (1, -1), (1, 0), (1, 1)];
    private readonly int _height = bins.Length / width;

    /// <summary>All features by kind and pyradiomics' name.</summary>
    public Dictionary<string, double> All()
    {
        var all = new Dictionary<string, double>();
        void Add(string kind, Dictionary<string, double> features)
        {
            foreach (var (name, value) in features) all[$"{kind} {name}"] = value;
        }
        Add("glcm", Averaged(Directions.Select(Cooccurrence)));
        Add("glrlm", Averaged(Directions.Select(d => Sizes(Runs(d), "Run", "ShortRun", "LongRun", "RunLength"))));
        Add("glszm", Sizes(Zones(), "Zone", "SmallArea", "LargeArea", "SizeZone"));
        Add("gldm", Sizes(Dependences(), "Dependence", "SmallDependence", "LargeDependence", "Dependence"));
        Add("ngtdm", Differences());
        return all;
    }

    private int At(int y, int x) => y < 0 || y >= _height || x < 0 || x >= width ? 0 : bins[y * width + x];

    private IEnumerable<int> Places => Enumerable.Range(0, bins.Length).Where(i => bins[i] > 0);

    private static Dictionary<string, double> Averaged(IEnumerable<Dictionary<string, double>> each) =>
        each.SelectMany(f => f).GroupBy(f => f.Key).ToDictionary(g => g.Key, g => g.Average(f => f.Value));

    private Dictionary<string, double> Cooccurrence((int Y, int X) step)
    {
        var pairs = Places.Select(i => (A: bins[i], B: At(i / width + step.Y, i % width + step.X))).Where(p => p.B > 0).ToList();
        pairs.AddRange([.. pairs.Select(p => (p.B, p.A))]); // both ways
        var shares = pairs.GroupBy(p => p).Select(g => (I: g.Key.A, J: g.Key.B, P: g.Count() / (double)pairs.Count)).ToList();
        double Sum(Func<double, double, double> of) => shares.Sum(s => s.P * of(s.I, s.J));
        double Entropy(Func<int, int, int> what) =>
            -shares.GroupBy(s => what(s.I, s.J)).Select(g => g.Sum(s => s.P)).Sum(p => p * Math.Log2(p));
        var margin = shares.GroupBy(s => s.I).ToDictionary(g => (double)g.Key, g => g.Sum(s => s.P));
        double top = bins.Max(), mean = Sum((i, _) => i), variance = Sum((i, _) => (i - mean) * (i - mean)),
            apart = Sum((i, j) => Math.Abs(i - j));
        double joint = -shares.Sum(s => s.P * Math.Log2(s.P)), single = Entropy((i, _) => i);
        var first = -Sum((i, j) => Math.Log2(margin[i] * margin[j]));
        var second = -margin.Sum(a => margin.Sum(b => a.Value * b.Value * Math.Log2(a.Value * b.Value)));
        return new()
        {
            ["Autocorrelation"] = Sum((i, j) => i * j),
            ["JointAverage"] = mean,
            ["ClusterProminence"] = Sum((i, j) => Math.Pow(i + j - 2 * mean, 4)),
            ["ClusterShade"] = Sum((i, j) => Math.Pow(i + j - 2 * mean, 3)),
            ["ClusterTendency"] = Sum((i, j) => Math.Pow(i + j - 2 * mean, 2)),
            ["Contrast"] = Sum((i, j) => (i - j) * (i - j)),
            ["Correlation"] = Sum((i, j) => (i - mean) * (j - mean)) / variance,
            ["DifferenceAverage"] = apart,
            ["DifferenceEntropy"] = Entropy((i, j) => Math.Abs(i - j)),
            ["DifferenceVariance"] = Sum((i, j) => Math.Pow(Math.Abs(i - j) - apart, 2)),
            ["Id"] = Sum((i, j) => 1 / (1 + Math.Abs(i - j))),
            ["Idm"] = Sum((i, j) => 1 / (1 + (i - j) * (i - j))),
            ["Idn"] = Sum((i, j) => 1 / (1 + Math.Abs(i - j) / top)),
            ["Idmn"] = Sum((i, j) => 1 / (1 + (i - j) * (i - j) / (top * top))),
            ["Imc1"] = (joint - first) / single,
            ["Imc2"] = Math.Sqrt(1 - Math.Exp(-2 * (second - joint))),
            ["InverseVariance"] = Sum((i, j) => i == j ? 0 : 1 / ((i - j) * (i - j))),
            ["JointEnergy"] = shares.Sum(s => s.P * s.P),
            ["JointEntropy"] = joint,
            ["MaximumProbability"] = shares.Max(s => s.P),
            ["SumAverage"] = Sum((i, j) => i + j),
            ["SumEntropy"] = Entropy((i, j) => i + j),
            ["SumSquares"] = variance,
        };
    }

    // A run belongs to the pixel that it begins at.
    private List<(double Level, double Size)> Runs((int Y, int X) step) => [.. Places
        .Where(i => At(i / width - step.Y, i % width - step.X) != bins[i])
        .Select(i => ((double)bins[i], 1.0 + Enumerable.Range(1, bins.Length).TakeWhile(n =>
            At(i / width + n * step.Y, i % width + n * step.X) == bins[i]).Count()))];

    // Touching pixels of one level take the smallest number among them until nothing changes.
    private List<(double Level, double Size)> Zones()
    {
        int[] zone = [.. Enumerable.Range(0, bins.Length)];
        for (var changed = true; changed;)
        {
            changed = false;
            foreach (var i in Places)
            {
                var least = Around(i).Where(j => bins[j] == bins[i]).Select(j => zone[j]).Append(zone[i]).Min();
                changed |= least != zone[i];
                zone[i] = least;
            }
        }
        return [.. Places.GroupBy(i => zone[i]).Select(g => ((double)bins[g.Key], (double)g.Count()))];
    }

    private List<(double Level, double Size)> Dependences() =>
        [.. Places.Select(i => ((double)bins[i], 1.0 + Around(i).Count(j => bins[j] == bins[i])))];

    private IEnumerable<int> Around(int i) => Enumerable.Range(0, 9).Where(n => n != 4)
        .Select(n => (Y: i / width + n / 3 - 1, X: i % width + n % 3 - 1)).Where(p => At(p.Y, p.X) > 0).Select(p =>
            p.Y * width + p.X);

    private Dictionary<string,
        double> Sizes(List<(double Level, double Size)> found, string thing, string small, string large, string size)
    {
        double count = found.Count;
        double Mean(Func<double, double, double> of) => found.Average(f => of(f.Level, f.Size));
        double Squares(Func<(double Level, double Size), double> what) =>
            found.GroupBy(what).Sum(g => Math.Pow(g.Count(), 2)) / count;
        double Variance(Func<(double Level, double Size), double> what) =>
            found.Average(f => Math.Pow(what(f) - found.Average(what), 2));
        var features = new Dictionary<string, double>
        {
            [$"{small}Emphasis"] = Mean((_, s) => 1 / (s * s)),
            [$"{large}Emphasis"] = Mean((_, s) => s * s),
            ["GrayLevelNonUniformity"] = Squares(f => f.Level),
            ["GrayLevelNonUniformityNormalized"] = Squares(f => f.Level) / count,
            [$"{size}NonUniformity"] = Squares(f => f.Size),
            [$"{size}NonUniformityNormalized"] = Squares(f => f.Size) / count,
            [$"{thing}Percentage"] = count / Places.Count(),
            ["GrayLevelVariance"] = Variance(f => f.Level),
            [$"{thing}Variance"] = Variance(f => f.Size),
            [$"{thing}Entropy"] = -found.GroupBy(f => f).Sum(g => g.Count() / count * Math.Log2(g.Count() / count)),
            [$"LowGrayLevel{thing}Emphasis"] = Mean((l, _) => 1 / (l * l)),
            [$"HighGrayLevel{thing}Emphasis"] = Mean((l, _) => l * l),
            [$"{small}LowGrayLevelEmphasis"] = Mean((l, s) => 1 / (l * l * s * s)),
            [$"{small}HighGrayLevelEmphasis"] = Mean((l, s) => l * l / (s * s)),
            [$"{large}LowGrayLevelEmphasis"] = Mean((l, s) => s * s / (l * l)),
            [$"{large}HighGrayLevelEmphasis"] = Mean((l, s) => l * l * s * s),
        };
        if (thing != "Dependence") return features;
        // Dependences have shorter names, and one for each pixel, so that their share says nothing.
        foreach (var name in new[] { "GrayLevelNonUniformityNormalized", "DependencePercentage" }) features.Remove(name);
        return features.ToDictionary(f => f.Key.Replace("GrayLevelDependence", "GrayLevel", StringComparison.Ordinal), f =>
            f.Value);
    }

    private Dictionary<string, double> Differences()
    {
        var pixels = Places.Where(i => Around(i).Any()).Select(i =>
            (Level: (double)bins[i], By: Math.Abs(bins[i] - Around(i).Average(j => bins[j])))).ToList();
        var rows = pixels.GroupBy(p => p.Level).Select(g =>
            (L: g.Key, P: g.Count() / (double)pixels.Count, S: g.Sum(p => p.By))).ToList();
        double Sum(Func<(double L, double P, double S), (double L, double P, double S), double> of) =>
            rows.Sum(a => rows.Sum(b => of(a, b)));
        double coarse = rows.Sum(r => r.P * r.S), all = rows.Sum(r => r.S);
        return new()
        {
            ["Coarseness"] = 1 / coarse,
            ["Contrast"] = Sum((a, b) =>
                a.P * b.P * Math.Pow(a.L - b.L, 2)) / (rows.Count * (rows.Count - 1)) * all / pixels.Count,
            ["Busyness"] = coarse / Sum((a, b) => Math.Abs(a.L * a.P - b.L * b.P)),
            ["Complexity"] = Sum((a, b) => Math.Abs(a.L - b.L) * (a.P * a.S + b.P * b.S) / (a.P + b.P)) / pixels.Count,
            ["Strength"] = Sum((a, b) => (a.P + b.P) * Math.Pow(a.L - b.L, 2)) / all,
        };
    }
}
