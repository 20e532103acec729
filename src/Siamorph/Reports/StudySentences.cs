using System.Globalization;
using Siamorph.Evaluation.Statistics;
using Siamorph.Study;

namespace Siamorph.Reports;

/// <summary>What a reader study allows to say, in sentences.</summary>
internal static class StudySentences
{
    /// <summary>Stands in every report, whatever it found.</summary>
    public const string NotUsefulness =
        "Realism does not show usefulness: images that fool everyone may not help a network, and images that fool nobody "
        + "may help. "
        + "Whether these pairs help segmentation is measured by an experiment.";

    public static IReadOnlyList<string> Answer(StudyResult result)
    {
        var (primary, size) = (result.Realism.Primary, result.Size);
        var who = string.Create(CultureInfo.InvariantCulture,
            $"{Format.Count(primary.Readers, "reader")}, {primary.Images} images, half of them real, {size.Width} × "
            + $"{size.Height} pixels. ");
        var few = primary.Readers < 2 ? "With one reader the interval speaks of this reader alone."
            : "Readers and images both count as samples, so the interval speaks of readers like these and of images like these.";
        return [Verdict(result), who + few, .. result.Quality is { } quality ? [Rated(quality, result.Options.QualityMargin)]
            : Array.Empty<string>(), NotUsefulness];
    }

    public static string Verdict(StudyResult result)
    {
        var (primary, margin) = (result.Realism.Primary, Points(result.Options.Margin));
        var right = $"{Percent(primary.Accuracy.Value)} of the answers were right; guessing gives 50\u00A0% (95\u00A0% interval "
            + $"{Interval(primary.Accuracy)}).";
        var reversed = primary.Accuracy.Value < 0.5;
        return primary.Verdict switch
        {
            Discrimination.NoBetterThanChance => $"No: readers were no better than guessing, within {margin} points. {right}",
            Discrimination.Both =>
                $"Hardly: readers were right {(reversed ? "less" : "more")} often than by guessing, yet within {margin} points "
                + $"of it. {right}",
            Discrimination.ToldApart when reversed =>
                $"Yes, the wrong way round: readers took synthetic images for real and real ones for synthetic. {right}",
            Discrimination.ToldApart => $"Yes: readers can tell synthetic from real images. {right}",
            _ => $"Undecided: the answers fit guessing, and they fit a difference of more than {margin} points. {right}",
        };
    }

    public static string Title(Discrimination verdict) => verdict switch
    {
        Discrimination.NoBetterThanChance => "no better than chance",
        Discrimination.Both => "told apart, within the margin of chance",
        Discrimination.ToldApart => "told apart",
        _ => "undecided",
    };

    public static string Interval(ValueWithInterval value) => $"{Percent(value.Low)} to {Percent(value.High)}";

    /// <summary>A share as per cent with one decimal, for what is compared.</summary>
    public static string Percent(double share) => (100 * share).ToString("0.0", CultureInfo.InvariantCulture) + "\u00A0%";

    public static string Scored(ValueWithInterval value) =>
        $"{Rating(value.Value)} ({Rating(value.Low)} to {Rating(value.High)})";

    public static string SignedScored(ValueWithInterval value) =>
        $"{Signed(value.Value)} ({Signed(value.Low)} to {Signed(value.High)})";

    /// <summary>A rating of five points, or a difference of such, with two decimals.</summary>
    public static string Rating(double value) =>
        double.IsFinite(value) ? value.ToString("0.00", CultureInfo.InvariantCulture).Replace('-', '−') : "–";

    public static string Signed(double value) => (Math.Round(value, 2) > 0 ? "+" : "")
        + Rating(Math.Round(value, 2) == 0 ? 0 : value);

    public static string P(double p) => p < 0.001 ? "< 0.001" : p.ToString("0.000", CultureInfo.InvariantCulture);

    public static string Points(double margin) => (100 * margin).ToString("0.#", CultureInfo.InvariantCulture);

    public static string OfFive(double margin) => margin.ToString("0.##", CultureInfo.InvariantCulture);

    private static string Rated(ScaleResult quality, double margin) =>
        $"For image quality, synthetic images were rated {Rating(quality.Synthetic.Value)} of 5 and real ones "
        + $"{Rating(quality.Real.Value)}: a difference of {SignedScored(quality.Difference)}, "
        + (quality.NonInferior ? $"no worse within the margin of {OfFive(margin)}." : quality.Difference.High < -margin
            ? $"worse by more than the margin of {OfFive(margin)}."
            : $"so it is open whether they are worse by more than {OfFive(margin)}.");
}
