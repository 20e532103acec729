namespace Siamorph.Tests.Reference;

/// <summary>Distances between two small sets of features once more, sample by sample.</summary>
/// <param name="real">A row a sample.</param>
/// <param name="synthetic">The same.</param>
internal sealed class FeatureSetReference(double[][] real, double[][] synthetic)
{
    public Dictionary<string, double> All()
    {
        var all = new Dictionary<string, double>
        {
            ["FID"] = Frechet(),
            ["KID, unbiased"] = Mean(real, real, same: false)
                + Mean(synthetic, synthetic, same: false) - 2 * Mean(real, synthetic, same: true),
            ["KID, biased"] = Mean(real, real, same: true)
                + Mean(synthetic, synthetic, same: true) - 2 * Mean(real, synthetic, same: true),
        };
        foreach (var k in new[] { 2, 3 })
        {
            double[] ofReal = Radii(real, k), ofSynthetic = Radii(synthetic, k);
            var inside = (double[] s) => real.Where((r, i) => Apart(r, s) < ofReal[i]).Count();
            all[$"precision, k {k}"] = synthetic.Average(s => inside(s) > 0 ? 1.0 : 0);
            all[$"recall, k {k}"] = real.Average(r => synthetic.Where((s, j) => Apart(r, s) < ofSynthetic[j]).Any() ? 1.0 : 0);
            all[$"density, k {k}"] = synthetic.Average(s => (double)inside(s) / k);
            all[$"coverage, k {k}"] = real.Select((r, i) => synthetic.Any(s => Apart(r, s) < ofReal[i]) ? 1.0 : 0).Average();
        }
        return all;
    }

    // |m₁ − m₂|² + tr S₁ + tr S₂ − 2 tr (S₁S₂)^½
    private double Frechet()
    {
        double[] a = Means(real), b = Means(synthetic);
        double[,] s = Covariance(real), t = Covariance(synthetic);
        return a.Zip(b, (x, y) => (x - y) * (x - y)).Sum() + Trace(s) + Trace(t) - 2 * Trace(Root(Product(s, t)));
    }

    // Mean of (x·y/d + 1)³ over pairs, those of a sample with itself left out unless asked for.
    private static double Mean(double[][] a, double[][] b, bool same)
    {
        double sum = 0, pairs = 0;
        for (var i = 0; i < a.Length; i++)
            for (var j = 0; j < b.Length; j++)
            {
                if (i == j && !same) continue;
                sum += Math.Pow(a[i].Zip(b[j], (x, y) => x * y).Sum() / a[i].Length + 1, 3);
                pairs++;
            }
        return sum / pairs;
    }

    // Distance to the k-th nearest other sample.
    private static double[] Radii(double[][] set, int k) =>
        [.. set.Select(x => set.Select(y => Apart(x, y)).Order().ElementAt(k))];

    private static double Apart(double[] x, double[] y) => Math.Sqrt(x.Zip(y, (a, b) => (a - b) * (a - b)).Sum());

    private static double[] Means(double[][] set) => [.. Enumerable.Range(0, set[0].Length).Select(c => set.Average(x => x[c]))];

    private static double[,] Covariance(double[][] set)
    {
        var mean = Means(set);
        return Matrix(mean.Length, (i, j) => set.Sum(x => (x[i] - mean[i]) * (x[j] - mean[j])) / (set.Length - 1));
    }

    // The square root by Denman and Beavers' iteration.
    private static double[,] Root(double[,] a)
    {
        var n = a.GetLength(0);
        var (y, z) = (a, Matrix(n, (i, j) => i == j ? 1 : 0));
        for (var step = 0; step < 30; step++)
        {
            var (inverseY, inverseZ) = (Inverse(y), Inverse(z));
            (y, z) = (Half(y, inverseZ), Half(z, inverseY));
        }
        return y;

        double[,] Half(double[,] p, double[,] q) => Matrix(n, (i, j) => (p[i, j] + q[i, j]) / 2);
    }

    // Gauss and Jordan, with the largest number of a column first.
    private static double[,] Inverse(double[,] a)
    {
        var n = a.GetLength(0);
        var (left, right) = ((double[,])a.Clone(), Matrix(n, (i, j) => i == j ? 1 : 0));
        for (var c = 0; c < n; c++)
        {
            var pivot = Enumerable.Range(c, n - c).MaxBy(r => Math.Abs(left[r, c]));
            for (var j = 0; j < n; j++)
            {
                (left[c, j], left[pivot, j]) = (left[pivot, j], left[c, j]);
                (right[c, j], right[pivot, j]) = (right[pivot, j], right[c, j]);
            }
            var by = left[c, c];
            for (var j = 0; j < n; j++) (left[c, j], right[c, j]) = (left[c, j] / by, right[c, j] / by);
            for (var r = 0; r < n; r++)
            {
                if (r == c) continue;
                var times = left[r, c];
                for (var j = 0; j < n; j++)
                    (left[r, j], right[r, j]) = (left[r, j] - times * left[c, j], right[r, j] - times * right[c, j]);
            }
        }
        return right;
    }

    private static double[,] Product(double[,] a, double[,] b) =>
        Matrix(a.GetLength(0), (i, j) => Enumerable.Range(0, a.GetLength(0)).Sum(k => a[i, k] * b[k, j]));

    private static double Trace(double[,] a) => Enumerable.Range(0, a.GetLength(0)).Sum(i => a[i, i]);

    private static double[,] Matrix(int n, Func<int, int, double> of)
    {
        var matrix = new double[n, n];
        for (var i = 0; i < n; i++) for (var j = 0; j < n; j++) matrix[i, j] = of(i, j);
        return matrix;
    }
}
