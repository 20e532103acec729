namespace Siamorph.Evaluation.Statistics;

/// <summary>Agreement of raters on a scale, raters and subjects both being samples (Shrout and Fleiss 1979, case 2).</summary>
/// <param name="Single">ICC(2,1): of one rater.</param>
/// <param name="Mean">ICC(2,k): of the mean of all raters.</param>
internal readonly record struct IntraclassCorrelation(double Single, double Mean)
{
    /// <summary>From a table of ratings; not a number where nothing varies.</summary>
    /// <param name="ratings">A row for each rater (at least 2), a column for each subject (at least 2).</param>
    public static IntraclassCorrelation Of(IReadOnlyList<IReadOnlyList<double>> ratings)
    {
        double raters = ratings.Count, subjects = ratings[0].Count;
        if (raters < 2 || subjects < 2)
            throw new ArgumentException("At least 2 raters and 2 subjects are needed.", nameof(ratings));
        var mean = ratings.Average(row => row.Average());
        var ofRaters = ratings.Select(row => row.Average() - mean).ToArray();
        var ofSubjects = ratings[0].Select((_, c) => ratings.Average(row => row[c]) - mean).ToArray();
        var between = raters * ofSubjects.Sum(d => d * d) / (subjects - 1);
        var judges = subjects * ofRaters.Sum(d => d * d) / (raters - 1);
        var squares = ratings.SelectMany((row, r) => row.Select((x, c) => Math.Pow(x - mean - ofRaters[r] - ofSubjects[c], 2)));
        var error = squares.Sum() / ((raters - 1) * (subjects - 1));
        return new((between - error) / (between + (raters - 1) * error + raters * (judges - error) / subjects),
            (between - error) / (between + (judges - error) / subjects));
    }
}
