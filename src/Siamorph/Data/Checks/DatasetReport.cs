using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Siamorph.Data.Checks;

/// <summary>What a check of a dataset found.</summary>
public sealed record DatasetReport
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>Full path of the folder.</summary>
    public required string Folder { get; init; }

    /// <summary>How it is laid out, see <see cref="Dataset.Layout"/>.</summary>
    public required string Layout { get; init; }

    /// <summary>What was read and what was left out, one line.</summary>
    public required string Reading { get; init; }

    /// <summary>Number of pairs.</summary>
    public required int Pairs { get; init; }

    /// <summary>Number of pairs in each split; "" counts those in none.</summary>
    public required IReadOnlyDictionary<string, int> Splits { get; init; }

    /// <summary>
    /// The levels that become black and white where images have more than 8 bits, as in "0:4095"; null where none has.
    /// </summary>
    public string? Range { get; init; }

    /// <summary>Number of images of each size, as in "384×288", most frequent first.</summary>
    public required IReadOnlyDictionary<string, int> Sizes { get; init; }

    /// <summary>
    /// Share of the lesion in the image, 0…1: 5th percentile, median, mean and 95th percentile; null without a readable mask.
    /// </summary>
    public required LesionArea? Area { get; init; }

    /// <summary>How far several annotators agree; null where no image has several masks.</summary>
    public AnnotatorAgreement? Annotators { get; init; }

    /// <summary>Everything noticed: errors first, then by pair.</summary>
    public required IReadOnlyList<Finding> Findings { get; init; }

    /// <summary>Number of errors.</summary>
    public int Errors => Findings.Count(f => f.Severity == FindingSeverity.Error);

    /// <summary>Number of warnings.</summary>
    public int Warnings => Findings.Count - Errors;

    /// <summary>The report as indented JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);
}

/// <summary>How far annotators agree: the mean Dice of every two masks of an image, 1 where both are empty.</summary>
/// <param name="Images">Images with several masks.</param>
/// <param name="MostMasks">Masks of the image that has most.</param>
/// <param name="MeanDice">Mean over images.</param>
/// <param name="LowestDice">Of the image they disagree most about.</param>
/// <param name="LowestId">That image's pair.</param>
public sealed record AnnotatorAgreement(int Images, int MostMasks, double MeanDice, double LowestDice, string LowestId);

/// <summary>How much of the images the lesions cover, as shares 0…1.</summary>
/// <param name="Percentile5">One mask in twenty is smaller.</param>
/// <param name="Median">Half of the masks are smaller.</param>
/// <param name="Mean">The mean.</param>
/// <param name="Percentile95">One mask in twenty is larger.</param>
public sealed record LesionArea(double Percentile5, double Median, double Mean, double Percentile95)
{
    internal static LesionArea? Of(IEnumerable<double> areas)
    {
        var sorted = areas.Order().ToList();
        return sorted.Count == 0 ? null : new LesionArea(At(0.05), At(0.5), sorted.Average(), At(0.95));

        double At(double share) => sorted[(int)Math.Round(share * (sorted.Count - 1))];
    }
}
