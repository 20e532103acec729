namespace Siamorph.Evaluation.Statistics;

/// <summary>A mean over readers and images that both were drawn by chance.</summary>
/// <param name="Value">The estimate.</param>
/// <param name="StandardError">Its standard error, from readers and images together.</param>
/// <param name="DegreesOfFreedom">Of Student's t.</param>
/// <param name="Readers">Readers it rests on.</param>
/// <param name="Images">Images it rests on.</param>
internal sealed record CrossedEstimate(double Value, double StandardError, double DegreesOfFreedom, int Readers, int Images)
{
    /// <summary>The interval at a level such as 0.95; the value alone where nothing varies.</summary>
    public Interval At(double level)
    {
        if (StandardError == 0) return new(Value, Value);
        var reach = StudentT.Quantile((1 + level) / 2, DegreesOfFreedom) * StandardError;
        return new(Value - reach, Value + reach);
    }

    /// <summary>Two-sided probability of a value so far from <paramref name="expected"/>, if that were the truth.</summary>
    public double P(double expected)
    {
        if (StandardError == 0) return Value == expected ? 1 : 0;
        return Math.Min(1, 2 * StudentT.Cdf(-Math.Abs(Value - expected) / StandardError, DegreesOfFreedom));
    }
}

/// <summary>An interval of numbers, both ends included.</summary>
/// <param name="Low">Lower end.</param>
/// <param name="High">Upper end.</param>
internal readonly record struct Interval(double Low, double High)
{
    /// <summary>Whether a number lies outside.</summary>
    public bool Excludes(double value) => value < Low || value > High;

    /// <summary>The part within [low, high].</summary>
    public Interval Within(double low, double high) => new(Math.Clamp(Low, low, high), Math.Clamp(High, low, high));
}

/// <summary>
/// Means over readers × images, every reader having scored every image. Readers and images are both samples, so a mean over
/// all answers is less sure than their number suggests: the variance is that of the two-way table with images nested in
/// kinds (Gallas, Pennello and Myers 2007, JOSA A 24:B70), never below the part of readers or of images alone, and the
/// degrees of freedom are Satterthwaite's (1946).
/// </summary>
internal static class CrossedMean
{
    /// <summary>The mean of one kind of images.</summary>
    /// <param name="scores">A row for each reader, a column for each image.</param>
    public static CrossedEstimate Of(IReadOnlyList<IReadOnlyList<double>> scores)
        => Of(scores, [.. scores[0].Select(_ => 0)], [1]);

    /// <summary>A weighted sum of the means of several kinds, such as the accuracy (½, ½) or a difference (−1, 1).</summary>
    /// <param name="scores">A row for each reader, a column for each image.</param>
    /// <param name="kinds">The kind of each image, from 0.</param>
    /// <param name="weights">The weight of each kind's mean.</param>
    /// <exception cref="ArgumentException">A row has another length, or a kind has no image.</exception>
    public static CrossedEstimate Of(
        IReadOnlyList<IReadOnlyList<double>> scores, IReadOnlyList<int> kinds, IReadOnlyList<double> weights)
        => Of(scores, kinds, weights, [.. scores.Select(row => Weighted(row, kinds, weights))]);

    /// <summary>The same where a reader's own value is not the weighted sum of the row but given.</summary>
    /// <param name="scores">A row for each reader, a column for each image: what an image contributes.</param>
    /// <param name="kinds">The kind of each image, from 0.</param>
    /// <param name="weights">The weight of each kind's mean in the variance of images.</param>
    /// <param name="values">Each reader's value; their mean is the estimate.</param>
    /// <exception cref="ArgumentException">A row has another length, or a kind has no image.</exception>
    public static CrossedEstimate Of(
        IReadOnlyList<IReadOnlyList<double>> scores, IReadOnlyList<int> kinds, IReadOnlyList<double> weights,
        IReadOnlyList<double> values)
    {
        if (scores.Count == 0 || scores.Any(row => row.Count != kinds.Count))
            throw new ArgumentException("Every reader needs a score for each image.", nameof(scores));
        var counts = weights.Select((_, k) => kinds.Count(kind => kind == k)).ToArray();
        if (counts.Contains(0)) throw new ArgumentException("Every kind needs an image.", nameof(kinds));
        int readers = scores.Count, images = kinds.Count;
        var squares = weights.Select((w, k) => w * w / counts[k]).Sum(); // of the weights of single images
        var (columns, errors) = MeanSquares(scores, kinds, counts);
        var mean = values.Average();
        double dfReaders = readers - 1, dfColumns = images - counts.Length, dfErrors = dfReaders * dfColumns;
        var ofReaders = readers < 2 ? 0 : values.Sum(v => (v - mean) * (v - mean)) / dfReaders / readers;
        var (ofImages, ofErrors) = (columns * squares / readers, errors * squares / readers);
        var sum = ofReaders + ofImages - ofErrors;
        var least = Math.Max(ofReaders, ofImages);
        var variance = Math.Max(sum, least);
        if (variance <= 0) return new(mean, 0, double.PositiveInfinity, readers, images);
        var df = sum >= least
            ? sum * sum / (Part(ofReaders, dfReaders) + Part(ofImages, dfColumns) + Part(ofErrors, dfErrors))
            : ofReaders >= ofImages ? dfReaders : dfColumns;
        return new(mean, Math.Sqrt(variance), Math.Max(1, df), readers, images);
    }

    private static double Part(double variance, double df) => df > 0 ? variance * variance / df : 0;

    private static double Weighted(IReadOnlyList<double> row, IReadOnlyList<int> kinds, IReadOnlyList<double> weights)
        => weights.Select((w, k) => w * row.Where((_, c) => kinds[c] == k).Average()).Sum();

    // Mean squares of images within kinds, and of what is left when readers (kind by kind) and images are taken out.
    private static (double Columns, double Errors) MeanSquares(
        IReadOnlyList<IReadOnlyList<double>> scores, IReadOnlyList<int> kinds, int[] counts)
    {
        double readers = scores.Count, columns = 0, errors = 0;
        var ofColumns = kinds.Select((_, c) => scores.Average(row => row[c])).ToArray();
        var ofKinds = counts.Select((_, k) => ofColumns.Where((_, c) => kinds[c] == k).Average()).ToArray();
        foreach (var row in scores)
        {
            var own = counts.Select((_, k) => row.Where((_, c) => kinds[c] == k).Average()).ToArray();
            for (var c = 0; c < row.Count; c++)
            {
                var error = row[c] - own[kinds[c]] - ofColumns[c] + ofKinds[kinds[c]];
                errors += error * error;
            }
        }
        for (var c = 0; c < ofColumns.Length; c++) columns += readers * Math.Pow(ofColumns[c] - ofKinds[kinds[c]], 2);
        double dfColumns = kinds.Count - counts.Length, dfErrors = (readers - 1) * dfColumns;
        return (dfColumns > 0 ? columns / dfColumns : 0, dfErrors > 0 ? errors / dfErrors : 0);
    }
}
