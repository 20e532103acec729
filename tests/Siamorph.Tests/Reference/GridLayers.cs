namespace Siamorph.Tests.Reference;

/// <summary>The layers that networks are made of, on <see cref="Grid"/>s.</summary>
internal static class GridLayers
{
    /// <summary>Convolution of [B,I,H,W] by [O,I/groups,k,k], with so many zeros before and behind rows and columns.</summary>
    public static Grid Convolve(this Grid x, Grid weight, Grid? bias, int stride = 1, int before = 0, int behind = 0,
        int groups = 1)
    {
        int batch = x.Shape[0], inputs = weight.Shape[1], height = x.Shape[2], width = x.Shape[3], outputs = weight.Shape[0],
            k = weight.Shape[2];
        int rows = (height + before + behind - k) / stride + 1, columns = (width + before + behind - k) / stride + 1;
        var y = new double[batch * outputs * rows * columns];
        // a stretch of a row of y, the first of its places in x, its weight, its length
        void Each(Action<int, int, int, int> visit)
        {
            for (var b = 0; b < batch; b++)
                for (var o = 0; o < outputs; o++)
                    for (var i = 0; i < inputs; i++)
                        for (var at = 0; at < k * k; at++)
                        {
                            var plane = (b * x.Shape[1] + o / (outputs / groups) * inputs + i) * height;
                            var (down, across) = (at / k - before, at % k - before);
                            var first = across >= 0 ? 0 : (stride - 1 - across) / stride;
                            var last = Math.Min(columns - 1, (width - 1 - across) / stride);
                            for (var r = 0; r < rows; r++)
                            {
                                var row = r * stride + down;
                                if (row < 0 || row >= height || first > last) continue;
                                var to = ((b * outputs + o) * rows + r) * columns + first;
                                visit(to, (plane + row) * width + first * stride + across,
                                    (o * inputs + i) * k * k + at, last - first + 1);
                            }
                        }
        }
        Each((to, from, w, count) =>
        {
            for (var n = 0; n < count; n++) y[to + n] += x.Data[from + n * stride] * weight.Data[w];
        });
        var result = new Grid([batch, outputs, rows, columns], y, [x, weight], g => Each((to, from, w, count) =>
        {
            for (var n = 0; n < count; n++)
            {
                if (x.Trained) x.Slope[from + n * stride] += g[to + n] * weight.Data[w];
                if (weight.Trained) weight.Slope[w] += g[to + n] * x.Data[from + n * stride];
            }
        }));
        return bias is null ? result : result.PlusChannels(bias);
    }

    /// <summary>Adds a number to each channel: [C] to all samples, or [B,C] to each its own.</summary>
    public static Grid PlusChannels(this Grid x, Grid shift)
    {
        int channels = x.Shape[1], size = x.Count / x.Shape[0] / channels;
        return x.Plus(shift.Pick([x.Shape[0], channels, size], p =>
            shift.Shape.Length == 1 ? p[1] : p[0] * channels + p[1]).Reshape(x.Shape));
    }

    /// <summary>y = x·Wᵀ + b on the last dimension.</summary>
    public static Grid Linear(this Grid x, Grid weight, Grid? bias = null)
    {
        int inputs = weight.Shape[1], outputs = weight.Shape[0], rows = x.Count / inputs;
        var y = new double[rows * outputs];
        for (var r = 0; r < rows; r++)
            for (var o = 0; o < outputs; o++)
            {
                var sum = bias?.Data[o] ?? 0;
                for (var i = 0; i < inputs; i++) sum += x.Data[r * inputs + i] * weight.Data[o * inputs + i];
                y[r * outputs + o] = sum;
            }
        return new([.. x.Shape[..^1], outputs], y, bias is null ? [x, weight] : [x, weight, bias], g =>
        {
            for (var r = 0; r < rows; r++)
                for (var o = 0; o < outputs; o++)
                {
                    var d = g[r * outputs + o];
                    if (bias is { Trained: true }) bias.Slope[o] += d;
                    for (var i = 0; i < inputs; i++)
                    {
                        if (x.Trained) x.Slope[r * inputs + i] += d * weight.Data[o * inputs + i];
                        if (weight.Trained) weight.Slope[o * inputs + i] += d * x.Data[r * inputs + i];
                    }
                }
        });
    }

    /// <summary>Channels in groups, each group of a sample to mean 0 and variance 1, then each channel scaled and
    /// shifted.</summary>
    public static Grid GroupNorm(this Grid x, Grid weight, Grid bias, double epsilon, int groups = 32)
    {
        int channels = x.Shape[1], size = x.Count / x.Shape[0] / channels, stretch = channels / groups * size;
        return x.Standardised(i => i / stretch, epsilon).Scaled(weight, bias, i => i / size % channels);
    }

    public static Grid LayerNorm(this Grid x, Grid weight, Grid bias, double epsilon = 1e-5) =>
        x.Standardised(i => i / weight.Count, epsilon).Scaled(weight, bias, i => i % weight.Count);

    /// <summary>Each channel over the whole batch, as in training.</summary>
    public static Grid BatchNorm(this Grid x, Grid weight, Grid bias, double epsilon = 1e-5)
    {
        int channels = x.Shape[1], size = x.Count / x.Shape[0] / channels;
        return x.Standardised(i => i / size % channels, epsilon).Scaled(weight, bias, i => i / size % channels);
    }

    /// <summary>Each channel by a given mean and variance.</summary>
    public static Grid Normed(this Grid x, Grid mean, Grid variance, Grid weight, Grid bias, double epsilon = 1e-5)
    {
        int channels = x.Shape[1], size = x.Count / x.Shape[0] / channels;
        var shifted = x.PlusChannels(mean.Times(-1));
        return shifted.Scaled(variance.Map(v => 1 / Math.Sqrt(v + epsilon), _ => 0).Times(weight), bias, i =>
            i / size % channels);
    }

    /// <summary>The largest of each 2×2 pixels; a last odd row or column is left out.</summary>
    public static Grid MaxPool(this Grid x)
    {
        int height = x.Shape[2], width = x.Shape[3];
        return x.Pick([x.Shape[0], x.Shape[1], height / 2, width / 2], p =>
        {
            var corner = ((p[0] * x.Shape[1] + p[1]) * height + 2 * p[2]) * width + 2 * p[3];
            return new[] { corner, corner + 1, corner + width, corner + width + 1 }.MaxBy(i => x.Data[i]);
        });
    }

    /// <summary>Bilinear to another size: corners on corners, or edges on edges.</summary>
    public static Grid Bilinear(this Grid x, int height, int width, bool corners)
    {
        int[] shape = [x.Shape[0], x.Shape[1], height, width];
        double At(int i, int from, int to) => corners ? i * (from - 1.0) / (to - 1) : Math.Max((i + 0.5) * from / to - 0.5, 0);
        Grid Corner(int down, int across)
        {
            var shares = new double[shape.Aggregate((a, b) => a * b)];
            var picked = x.Pick(shape, p =>
            {
                var (r, c) = (At(p[2], x.Shape[2], height), At(p[3], x.Shape[3], width));
                var (row, column) = ((int)r, (int)c);
                shares[((p[0] * shape[1] + p[1]) * height + p[2]) * width + p[3]] =
                    (down == 1 ? r - row : 1 - r + row) * (across == 1 ? c - column : 1 - c + column);
                return ((p[0] * shape[1] + p[1]) * x.Shape[2] + Math.Min(row + down, x.Shape[2] - 1)) * x.Shape[3]
                    + Math.Min(column + across, x.Shape[3] - 1);
            });
            return picked.Times(new Grid(shape, shares));
        }
        return Corner(0, 0).Plus(Corner(0, 1)).Plus(Corner(1, 0)).Plus(Corner(1, 1));
    }

    /// <summary>Each pixel to 2×2 by a weight [I,O,2,2] of its own for each of the four.</summary>
    public static Grid TransposedTwice(this Grid x, Grid weight, Grid bias)
    {
        int inputs = weight.Shape[0], outputs = weight.Shape[1], height = x.Shape[2], width = x.Shape[3];
        Grid Of(int phase)
        {
            var pointwise = weight.Pick([outputs, inputs, 1, 1], p => (p[1] * outputs + p[0]) * 4 + phase);
            return x.Convolve(pointwise, null).Pick([x.Shape[0], outputs, 2 * height, 2 * width], p =>
                p[2] % 2 * 2 + p[3] % 2 == phase ? ((p[0] * outputs + p[1]) * height + p[2] / 2) * width + p[3] / 2 : -1);
        }
        return Of(0).Plus(Of(1)).Plus(Of(2)).Plus(Of(3)).PlusChannels(bias);
    }

    /// <summary>Zeros around, or (for negative numbers) less of it.</summary>
    public static Grid Padded(this Grid x, int top, int left, int height, int width) =>
        x.Pick([x.Shape[0], x.Shape[1], height, width], p =>
    {
        var (row, column) = (p[2] - top, p[3] - left);
        var inside = row >= 0 && row < x.Shape[2] && column >= 0 && column < x.Shape[3];
        return inside ? ((p[0] * x.Shape[1] + p[1]) * x.Shape[2] + row) * x.Shape[3] + column : -1;
    });

    /// <summary>The numbers of each group to mean 0 and (but for ε) variance 1.</summary>
    public static Grid Standardised(this Grid x, Func<int, int> group, double epsilon)
    {
        int[] groups = [.. Enumerable.Range(0, x.Count).Select(group)];
        var count = groups.Max() + 1;
        var size = x.Count / count;
        double[] Means(Func<int, double> of)
        {
            var means = new double[count];
            for (var i = 0; i < groups.Length; i++) means[groups[i]] += of(i) / size;
            return means;
        }
        var mean = Means(i => x.Data[i]);
        var deviation = Array.ConvertAll(Means(i => Math.Pow(x.Data[i] - mean[groups[i]], 2)), v => Math.Sqrt(v + epsilon));
        double[] y = [.. x.Data.Select((v, i) => (v - mean[groups[i]]) / deviation[groups[i]])];
        return new(x.Shape, y, [x], g =>
        {
            var (even, along) = (Means(i => g[i]), Means(i => g[i] * y[i]));
            for (var i = 0; i < g.Length; i++)
                x.Slope[i] += (g[i] - even[groups[i]] - y[i] * along[groups[i]]) / deviation[groups[i]];
        });
    }

    /// <summary>softmax(q·kᵀ/√d)·v in heads; all [B,N,C]. With <paramref name="causal"/>, a token sees those before it and
    /// itself.</summary>
    public static Grid Attention(Grid q, Grid k, Grid v, int heads, bool causal = false)
    {
        int batch = q.Shape[0], n = q.Shape[1], l = k.Shape[1], width = q.Shape[2], d = width / heads;
        var (y, shares, scale) = (new double[q.Count], new double[batch * heads * n * l], 1 / Math.Sqrt(d));
        void Each(Action<int, int, int, int> visit) // starts of the rows of q and k, place of the pair, start of the pair's row
        {
            for (var b = 0; b < batch; b++)
                for (var h = 0; h < heads; h++)
                    for (var i = 0; i < n; i++)
                        for (var j = 0; j < (causal ? i + 1 : l); j++)
                            visit((b * n + i) * width + h * d, (b * l + j) * width + h * d, ((b * heads + h) * n + i) * l + j,
                                ((b * heads + h) * n + i) * l);
        }
        double Dot(double[] a, int from, double[] b, int to) => Enumerable.Range(0, d).Sum(c => a[from + c] * b[to + c]);
        var sums = new double[batch * heads * n];
        Each((row, column, pair, start) => sums[start / l] += shares[pair] = Math.Exp(scale * Dot(q.Data, row, k.Data, column)));
        Each((row, column, pair, start) =>
        {
            shares[pair] /= sums[start / l];
            for (var c = 0; c < d; c++) y[row + c] += shares[pair] * v.Data[column + c];
        });
        return new(q.Shape, y, [q, k, v], g =>
        {
            var mean = new double[sums.Length];
            Each((row, column, pair, start) => mean[start / l] += shares[pair] * Dot(g, row, v.Data, column));
            Each((row, column, pair, start) =>
            {
                var slope = scale * shares[pair] * (Dot(g, row, v.Data, column) - mean[start / l]);
                for (var c = 0; c < d; c++)
                {
                    v.Slope[column + c] += shares[pair] * g[row + c];
                    q.Slope[row + c] += slope * k.Data[column + c];
                    k.Slope[column + c] += slope * q.Data[row + c];
                }
            });
        });
    }

    /// <summary>Each pixel four times.</summary>
    public static Grid Doubled(this Grid x)
    {
        int height = x.Shape[2], width = x.Shape[3];
        return x.Pick([x.Shape[0], x.Shape[1], 2 * height, 2 * width], p =>
            ((p[0] * x.Shape[1] + p[1]) * height + p[2] / 2) * width + p[3] / 2);
    }

    private static Grid Scaled(this Grid x, Grid weight, Grid bias, Func<int, int> channel) =>
        x.Times(weight.Pick([x.Count], p => channel(p[0])).Reshape(x.Shape))
            .Plus(bias.Pick([x.Count], p => channel(p[0])).Reshape(x.Shape));
}
