namespace Siamorph.Tests.Reference;

/// <summary>Arithmetic on <see cref="Grid"/>s: number by number, or by moving numbers about.</summary>
internal static class GridMath
{
    public static Grid Plus(this Grid a, Grid b) => Both(a, b, (x, y) => x + y, (_, _) => 1, (_, _) => 1);

    public static Grid Minus(this Grid a, Grid b) => Both(a, b, (x, y) => x - y, (_, _) => 1, (_, _) => -1);

    public static Grid Times(this Grid a, Grid b) => Both(a, b, (x, y) => x * y, (_, y) => y, (x, _) => x);

    public static Grid Over(this Grid a, Grid b) => Both(a, b, (x, y) => x / y, (_, y) => 1 / y, (x, y) => -x / (y * y));

    public static Grid Times(this Grid a, double factor) => a.Map(x => factor * x, _ => factor);

    public static Grid Plus(this Grid a, double addend) => a.Map(x => x + addend, _ => 1);

    public static Grid Sigmoid(this Grid a) => a.Map(Sigmoid, x => Sigmoid(x) * (1 - Sigmoid(x)));

    public static Grid Silu(this Grid a) => a.Map(x => x * Sigmoid(x), x => Sigmoid(x) * (1 + x * (1 - Sigmoid(x))));

    public static Grid Relu(this Grid a) => a.Map(x => Math.Max(x, 0), x => x > 0 ? 1 : 0);

    public static Grid Gelu(this Grid a) => a.Map(
        x => x * Below(x), x => Below(x) + x * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI));

    public static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    /// <summary>Every number by a function with the given derivative.</summary>
    public static Grid Map(this Grid a, Func<double, double> value, Func<double, double> slope) =>
        new(a.Shape, Array.ConvertAll(a.Data, x => value(x)), [a], g =>
        {
            for (var i = 0; i < g.Length; i++) a.Slope[i] += g[i] * slope(a.Data[i]);
        });

    /// <summary>Numbers of <paramref name="a"/> in another place and order: each result is the one at its source, or 0 for
    /// −1.</summary>
    public static Grid Pick(this Grid a, int[] shape, Func<int[], int> source)
    {
        var from = new int[shape.Aggregate(1, (x, y) => x * y)];
        var place = new int[shape.Length];
        for (var i = 0; i < from.Length; i++)
        {
            from[i] = source(place);
            for (var d = shape.Length - 1; d >= 0 && ++place[d] == shape[d]; d--) place[d] = 0;
        }
        return new(shape, Array.ConvertAll(from, i => i < 0 ? 0 : a.Data[i]), [a], g =>
        {
            for (var i = 0; i < g.Length; i++) if (from[i] >= 0) a.Slope[from[i]] += g[i];
        });
    }

    public static Grid Reshape(this Grid a, params int[] shape) => new(shape, a.Data, [a], g =>
    {
        for (var i = 0; i < g.Length; i++) a.Slope[i] += g[i];
    });

    /// <summary>[B,C,H,W] as tokens [B,H·W,C], and back.</summary>
    public static Grid Tokens(this Grid a) =>
        a.Pick([a.Shape[0], a.Shape[2] * a.Shape[3], a.Shape[1]], p =>
            (p[0] * a.Shape[1] + p[2]) * a.Shape[2] * a.Shape[3] + p[1]);

    public static Grid Pixels(this Grid a, int height, int width) =>
        a.Pick([a.Shape[0], a.Shape[2], height, width], p => (p[0] * a.Shape[1] + p[2] * width + p[3]) * a.Shape[2] + p[1]);

    /// <summary>Samples of a batch, by number.</summary>
    public static Grid Samples(this Grid a, params int[] samples)
    {
        var size = a.Count / a.Shape[0];
        return a.Reshape(a.Shape[0], size).Pick([samples.Length, size], p => samples[p[0]] * size + p[1])
            .Reshape([samples.Length, .. a.Shape[1..]]);
    }

    /// <summary>Side by side along the second dimension.</summary>
    public static Grid Beside(this Grid a, Grid b)
    {
        int batch = a.Shape[0], first = a.Count / batch, second = b.Count / batch;
        var data = new double[a.Count + b.Count];
        for (var s = 0; s < batch; s++)
        {
            Array.Copy(a.Data, s * first, data, s * (first + second), first);
            Array.Copy(b.Data, s * second, data, s * (first + second) + first, second);
        }
        return new([batch, a.Shape[1] + b.Shape[1], .. a.Shape[2..]], data, [a, b], g =>
        {
            for (var i = 0; i < g.Length; i++)
            {
                var (s, at) = (i / (first + second), i % (first + second));
                if (at < first) a.Slope[s * first + at] += g[i];
                else b.Slope[s * second + at - first] += g[i];
            }
        });
    }

    /// <summary>Sums of equally long stretches: [N] of N·M numbers, or of each sample.</summary>
    public static Grid Sums(this Grid a, int count)
    {
        var size = a.Count / count;
        var sums = new double[count];
        for (var i = 0; i < a.Count; i++) sums[i / size] += a.Data[i];
        return new([count], sums, [a], g =>
        {
            for (var i = 0; i < a.Count; i++) a.Slope[i] += g[i / size];
        });
    }

    public static Grid Mean(this Grid a) => a.Sums(1).Times(1.0 / a.Count);

    private static Grid Both(
        Grid a, Grid b, Func<double, double, double> value, Func<double, double, double> slopeA,
        Func<double, double, double> slopeB)
    {
        if (!a.Shape.SequenceEqual(b.Shape)) throw new ArgumentException(
            $"[{string.Join(",", a.Shape)}] and [{string.Join(",", b.Shape)}].");
        return new(a.Shape, [.. a.Data.Zip(b.Data, value)], [a, b], g =>
        {
            for (var i = 0; i < g.Length; i++)
            {
                if (a.Trained) a.Slope[i] += g[i] * slopeA(a.Data[i], b.Data[i]);
                if (b.Trained) b.Slope[i] += g[i] * slopeB(a.Data[i], b.Data[i]);
            }
        });
    }

    // The normal distribution function by a series of positive terms: exact to the last digits for any x.
    private static double Below(double x)
    {
        if (Math.Abs(x) > 9) return x > 0 ? 1 : 0;
        double term = x, sum = x;
        for (var n = 3; Math.Abs(term) > 1e-18 * Math.Abs(sum); n += 2) sum += term *= x * x / n;
        return 0.5 + sum * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
    }
}
