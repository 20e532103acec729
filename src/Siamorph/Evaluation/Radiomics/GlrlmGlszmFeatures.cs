using Siamorph.Imaging;

namespace Siamorph.Evaluation.Radiomics;

/// <summary>
/// Radiomic features of how far equal grey levels reach: runs in four directions (GLRLM), zones of touching pixels (GLSZM) and
/// equal neighbours (GLDM). All three count pairs (level, size) and share their formulas (definitions of pyradiomics).
/// </summary>
internal static class GlrlmGlszmFeatures
{
    /// <summary>Run lengths, averaged over the four directions.</summary>
    /// <param name="size">Width and height.</param>
    /// <param name="bins">Bin numbers from 1, 0 outside the region.</param>
    public static IReadOnlyDictionary<string, double> Runs(ImageSize size, int[] bins)
    {
        ArgumentNullException.ThrowIfNull(bins);
        var sums = new Dictionary<string, double>();
        foreach (var (dy, dx) in GlcmFeatures.Directions)
        {
            var f = new Formulas(RunCounts(size, bins, dy, dx));
            foreach (var (name, value) in f.Named("Run", "ShortRun", "LongRun", "RunLength"))
                sums[name] = sums.GetValueOrDefault(name) + value / GlcmFeatures.Directions.Length;
        }
        return sums;
    }

    /// <summary>Zones of equal level whose pixels touch at a side or a corner.</summary>
    /// <param name="size">Width and height.</param>
    /// <param name="bins">Bin numbers from 1, 0 outside the region.</param>
    public static IReadOnlyDictionary<string, double> Zones(ImageSize size, int[] bins) =>
        new Formulas(ZoneCounts(size, bins)).Named("Zone", "SmallArea", "LargeArea", "SizeZone");

    /// <summary>Numbers of equal neighbours among the eight, the pixel itself included.</summary>
    /// <param name="size">Width and height.</param>
    /// <param name="bins">Bin numbers from 1, 0 outside the region.</param>
    public static IReadOnlyDictionary<string, double> Dependences(ImageSize size, int[] bins) =>
        new Formulas(DependenceCounts(size, bins)).Dependence();

    internal static Dictionary<(int Level, int Size), long> RunCounts(ImageSize size, int[] bins, int dy, int dx)
    {
        ArgumentNullException.ThrowIfNull(bins);
        var counts = new Dictionary<(int, int), long>();
        int At(int y, int x) => y < 0 || x < 0 || y >= size.Height || x >= size.Width ? 0 : bins[y * size.Width + x];
        for (var y = 0; y < size.Height; y++)
            for (var x = 0; x < size.Width; x++)
            {
                var level = At(y, x);
                if (level == 0 || At(y - dy, x - dx) == level) continue; // not the beginning of a run
                var length = 1;
                while (At(y + length * dy, x + length * dx) == level) length++;
                counts[(level, length)] = counts.GetValueOrDefault((level, length)) + 1;
            }
        return counts;
    }

    internal static Dictionary<(int Level, int Size), long> ZoneCounts(ImageSize size, int[] bins)
    {
        ArgumentNullException.ThrowIfNull(bins);
        var counts = new Dictionary<(int, int), long>();
        var seen = new bool[bins.Length];
        var open = new Stack<int>();
        for (var start = 0; start < bins.Length; start++)
        {
            if (bins[start] == 0 || seen[start]) continue;
            var area = 0;
            seen[start] = true;
            open.Push(start);
            while (open.TryPop(out var at))
            {
                area++;
                foreach (var next in Neighbours(size, at))
                {
                    if (seen[next] || bins[next] != bins[start]) continue;
                    seen[next] = true;
                    open.Push(next);
                }
            }
            counts[(bins[start], area)] = counts.GetValueOrDefault((bins[start], area)) + 1;
        }
        return counts;
    }

    internal static Dictionary<(int Level, int Size), long> DependenceCounts(ImageSize size, int[] bins)
    {
        ArgumentNullException.ThrowIfNull(bins);
        var counts = new Dictionary<(int, int), long>();
        for (var i = 0; i < bins.Length; i++)
        {
            if (bins[i] == 0) continue;
            var equal = 1;
            foreach (var next in Neighbours(size, i)) if (bins[next] == bins[i]) equal++;
            counts[(bins[i], equal)] = counts.GetValueOrDefault((bins[i], equal)) + 1;
        }
        return counts;
    }

    internal static IEnumerable<int> Neighbours(ImageSize size, int at)
    {
        var (y, x) = Math.DivRem(at, size.Width);
        for (var ny = Math.Max(0, y - 1); ny <= Math.Min(size.Height - 1, y + 1); ny++)
            for (var nx = Math.Max(0, x - 1); nx <= Math.Min(size.Width - 1, x + 1); nx++)
                if (ny != y || nx != x) yield return ny * size.Width + nx;
    }

    private sealed class Formulas
    {
        private readonly double _small, _large, _levels, _sizes, _levelVariance, _sizeVariance, _entropy, _low, _high,
            _smallLow, _smallHigh, _largeLow, _largeHigh, _count, _pixels;

        public Formulas(Dictionary<(int Level, int Size), long> counts)
        {
            _count = counts.Values.Sum();
            double levelMean = 0, sizeMean = 0;
            foreach (var ((level, size), number) in counts)
            {
                double p = number / _count, i2 = (double)level * level, j2 = (double)size * size;
                _pixels += (double)number * size;
                _small += p / j2;
                _large += p * j2;
                _low += p / i2;
                _high += p * i2;
                _smallLow += p / i2 / j2;
                _smallHigh += p * i2 / j2;
                _largeLow += p * j2 / i2;
                _largeHigh += p * i2 * j2;
                _entropy -= p * Math.Log2(p + FirstOrderFeatures.Epsilon);
                levelMean += p * level;
                sizeMean += p * size;
            }
            foreach (var ((level, size), number) in counts)
            {
                _levelVariance += number / _count * (level - levelMean) * (level - levelMean);
                _sizeVariance += number / _count * (size - sizeMean) * (size - sizeMean);
            }
            _levels = counts.GroupBy(c => c.Key.Level).Sum(g => Square(g.Sum(c => (double)c.Value))) / _count;
            _sizes = counts.GroupBy(c => c.Key.Size).Sum(g => Square(g.Sum(c => (double)c.Value))) / _count;
        }

        public Dictionary<string, double> Named(string thing, string small, string large, string size) => new()
        {
            [$"{small}Emphasis"] = _small,
            [$"{large}Emphasis"] = _large,
            ["GrayLevelNonUniformity"] = _levels,
            ["GrayLevelNonUniformityNormalized"] = _levels / _count,
            [$"{size}NonUniformity"] = _sizes,
            [$"{size}NonUniformityNormalized"] = _sizes / _count,
            [$"{thing}Percentage"] = _count / _pixels,
            ["GrayLevelVariance"] = _levelVariance,
            [$"{thing}Variance"] = _sizeVariance,
            [$"{thing}Entropy"] = _entropy,
            [$"LowGrayLevel{thing}Emphasis"] = _low,
            [$"HighGrayLevel{thing}Emphasis"] = _high,
            [$"{small}LowGrayLevelEmphasis"] = _smallLow,
            [$"{small}HighGrayLevelEmphasis"] = _smallHigh,
            [$"{large}LowGrayLevelEmphasis"] = _largeLow,
            [$"{large}HighGrayLevelEmphasis"] = _largeHigh,
        };

        public Dictionary<string, double> Dependence() => new()
        {
            ["SmallDependenceEmphasis"] = _small,
            ["LargeDependenceEmphasis"] = _large,
            ["GrayLevelNonUniformity"] = _levels,
            ["DependenceNonUniformity"] = _sizes,
            ["DependenceNonUniformityNormalized"] = _sizes / _count,
            ["GrayLevelVariance"] = _levelVariance,
            ["DependenceVariance"] = _sizeVariance,
            ["DependenceEntropy"] = _entropy,
            ["LowGrayLevelEmphasis"] = _low,
            ["HighGrayLevelEmphasis"] = _high,
            ["SmallDependenceLowGrayLevelEmphasis"] = _smallLow,
            ["SmallDependenceHighGrayLevelEmphasis"] = _smallHigh,
            ["LargeDependenceLowGrayLevelEmphasis"] = _largeLow,
            ["LargeDependenceHighGrayLevelEmphasis"] = _largeHigh,
        };

        private static double Square(double v) => v * v;
    }
}
