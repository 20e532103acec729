namespace Siamorph.Evaluation.Radiomics;

// Moments of a set of pixels about their centre, up to the third order.
internal sealed class CentralMoments
{
    private readonly double[,] _mu = new double[4, 4]; // [row power, column power]

    public CentralMoments(List<(int Y, int X)> pixels)
    {
        (Row, Column) = (pixels.Average(p => p.Y), pixels.Average(p => p.X));
        foreach (var (y, x) in pixels)
        {
            double r = y - Row, c = x - Column, power = 1;
            for (var i = 0; i < 4; i++, power *= r)
            {
                var value = power;
                for (var j = 0; i + j < 4; j++, value *= c) _mu[i, j] += value;
            }
        }
    }

    public double Row { get; }
    public double Column { get; }

    public (double Large, double Small) Eigenvalues()
    {
        double n = _mu[0, 0], a = _mu[2, 0] / n, c = _mu[0, 2] / n, b = _mu[1, 1] / n;
        var root = Math.Sqrt((a - c) * (a - c) / 4 + b * b);
        return ((a + c) / 2 + root, (a + c) / 2 - root);
    }

    public double Orientation()
    {
        double n = _mu[0, 0], a = _mu[0, 2] / n, c = _mu[2, 0] / n, b = -_mu[1, 1] / n;
        if (a == c) return b < 0 ? Math.PI / 4 : -Math.PI / 4;
        return .5 * Math.Atan2(-2 * b, c - a);
    }

    // Hu 1962, in normalised central moments.
    public double[] Hu()
    {
        double N(int i, int j) => _mu[i, j] / Math.Pow(_mu[0, 0], (i + j) / 2.0 + 1);
        double n20 = N(2, 0), n02 = N(0, 2), n11 = N(1, 1), a = N(3, 0) + N(1, 2), b = N(2, 1) + N(0, 3);
        double c = N(3, 0) - 3 * N(1, 2), d = 3 * N(2, 1) - N(0, 3);
        return
        [
            n20 + n02,
            (n20 - n02) * (n20 - n02) + 4 * n11 * n11,
            c * c + d * d,
            a * a + b * b,
            c * a * (a * a - 3 * b * b) + d * b * (3 * a * a - b * b),
            (n20 - n02) * (a * a - b * b) + 4 * n11 * a * b,
            d * a * (a * a - 3 * b * b) - c * b * (3 * a * a - b * b),
        ];
    }
}
