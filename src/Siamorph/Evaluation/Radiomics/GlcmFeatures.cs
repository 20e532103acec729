using Siamorph.Imaging;
using TorchSharp;

namespace Siamorph.Evaluation.Radiomics;

/// <summary>
/// Radiomic features of grey levels side by side (GLCM): four directions, symmetric, normalised each and averaged over those
/// that are not empty (definitions of pyradiomics; Haralick 1973).
/// </summary>
internal static class GlcmFeatures
{
    internal static readonly (int Dy, int Dx)[] Directions = [(0, 1), (1, -1), (1, 0), (1, 1)];

    /// <summary>Features by pyradiomics' names.</summary>
    /// <param name="size">Width and height.</param>
    /// <param name="bins">Bin numbers from 1, 0 outside the region.</param>
    /// <param name="withMcc">Also the maximal correlation coefficient, which needs eigenvalues and takes longest.</param>
    public static IReadOnlyDictionary<string, double> Of(ImageSize size, int[] bins, bool withMcc = true)
    {
        ArgumentNullException.ThrowIfNull(bins);
        var levels = Levels(bins);
        var sums = new Dictionary<string, double>();
        var used = 0;
        foreach (var direction in Directions)
        {
            var matrix = Normalised(size, bins, levels, direction.Dy, direction.Dx);
            if (matrix is null) continue;
            used++;
            foreach (var (name, value) in OfMatrix(matrix, levels, withMcc)) sums[name] = sums.GetValueOrDefault(name) + value;
        }
        if (used > 0) return sums.ToDictionary(p => p.Key, p => p.Value / used);
        return new Dictionary<string, double>();
    }

    /// <summary>Bin numbers that occur, in order.</summary>
    internal static int[] Levels(int[] bins) => [.. bins.Where(b => b > 0).Distinct().Order()];

    // Share of each pair of levels at that offset, both ways; null where no two pixels of the region lie so.
    internal static double[,]? Normalised(ImageSize size, int[] bins, int[] levels, int dy, int dx)
    {
        var place = new int[levels[^1] + 1];
        for (var i = 0; i < levels.Length; i++) place[levels[i]] = i;
        var matrix = new double[levels.Length, levels.Length];
        double pairs = 0;
        for (var y = 0; y + dy < size.Height; y++)
            for (var x = Math.Max(0, -dx); x < size.Width - Math.Max(0, dx); x++)
            {
                int a = bins[y * size.Width + x], b = bins[(y + dy) * size.Width + x + dx];
                if (a == 0 || b == 0) continue;
                matrix[place[a], place[b]]++;
                matrix[place[b], place[a]]++;
                pairs += 2;
            }
        if (pairs == 0) return null;
        for (var i = 0; i < levels.Length; i++) for (var j = 0; j < levels.Length; j++) matrix[i, j] /= pairs;
        return matrix;
    }

    // The features of one normalised matrix.
    internal static IReadOnlyDictionary<string, double> OfMatrix(double[,] p, int[] levels, bool withMcc)
    {
        const double eps = FirstOrderFeatures.Epsilon;
        var (n, top) = (levels.Length, levels[^1]);
        var margin = new double[n];
        var (difference, sum) = (new double[top], new double[2 * top + 1]);
        double mean = 0, auto = 0, energy = 0, entropy = 0, maximum = 0;
        for (var i = 0; i < n; i++)
            for (var j = 0; j < n; j++)
            {
                var v = p[i, j];
                margin[i] += v;
                if (v == 0) continue;
                difference[Math.Abs(levels[i] - levels[j])] += v;
                sum[levels[i] + levels[j]] += v;
                mean += levels[i] * v;
                auto += (double)levels[i] * levels[j] * v;
                energy += v * v;
                entropy -= v * Math.Log2(v + eps);
                maximum = Math.Max(maximum, v);
            }
        double squares = 0, covariance = 0, tendency = 0, shade = 0, prominence = 0, hxy1 = 0, hxy2 = 0;
        for (var i = 0; i < n; i++)
            for (var j = 0; j < n; j++)
            {
                var (v, product) = (p[i, j], margin[i] * margin[j]);
                double a = levels[i] - mean, b = levels[j] - mean, c = a + b;
                squares += a * a * v;
                covariance += a * b * v;
                tendency += c * c * v;
                shade += c * c * c * v;
                prominence += c * c * c * c * v;
                if (product == 0) continue;
                var log = Math.Log2(product + eps);
                hxy1 -= v * log;
                hxy2 -= product * log;
            }
        double differenceMean = 0, contrast = 0, id = 0, idm = 0, idn = 0, idmn = 0, inverse = 0;
        for (var k = 0; k < difference.Length; k++)
        {
            var v = difference[k];
            differenceMean += k * v;
            contrast += (double)k * k * v;
            id += v / (1 + k);
            idm += v / (1 + (double)k * k);
            idn += v / (1 + (double)k / top);
            idmn += v / (1 + (double)k * k / ((double)top * top));
            if (k > 0) inverse += v / ((double)k * k);
        }
        var hx = FirstOrderFeatures.Entropy(margin);
        var features = new Dictionary<string, double>
        {
            ["Autocorrelation"] = auto,
            ["JointAverage"] = mean,
            ["ClusterProminence"] = prominence,
            ["ClusterShade"] = shade,
            ["ClusterTendency"] = tendency,
            ["Contrast"] = contrast,
            ["Correlation"] = squares == 0 ? 1 : covariance / (squares + eps),
            ["DifferenceAverage"] = differenceMean,
            ["DifferenceEntropy"] = FirstOrderFeatures.Entropy(difference),
            ["DifferenceVariance"] = difference.Select((v, k) => (k - differenceMean) * (k - differenceMean) * v).Sum(),
            ["Id"] = id,
            ["Idm"] = idm,
            ["Idn"] = idn,
            ["Idmn"] = idmn,
            ["Imc1"] = hx == 0 ? 0 : (entropy - hxy1) / hx,
            ["Imc2"] = hxy2 <= entropy ? 0 : Math.Sqrt(1 - Math.Exp(-2 * (hxy2 - entropy))),
            ["InverseVariance"] = inverse,
            ["JointEnergy"] = energy,
            ["JointEntropy"] = entropy,
            ["MaximumProbability"] = maximum,
            ["SumAverage"] = sum.Select((v, k) => k * v).Sum(),
            ["SumEntropy"] = FirstOrderFeatures.Entropy(sum),
            ["SumSquares"] = squares,
        };
        if (withMcc) features["MCC"] = MaximalCorrelation(p, margin);
        return features;
    }

    // Square root of the second eigenvalue of D⁻¹ P D⁻¹ P, which are the squared eigenvalues of D^-½ P D^-½.
    private static double MaximalCorrelation(double[,] p, double[] margin)
    {
        var n = margin.Length;
        if (n < 2) return 1;
        var scaled = new double[n, n];
        for (var i = 0; i < n; i++)
            for (var j = 0; j < n; j++)
                scaled[i, j] = margin[i] * margin[j] == 0 ? 0 : p[i, j] / Math.Sqrt(margin[i] * margin[j]);
        using var scope = torch.NewDisposeScope();
        double[] values = [.. torch.linalg.eigvalsh(torch.tensor(scaled)).data<double>().Select(Math.Abs).OrderDescending()];
        return values[1];
    }
}
