using Siamorph.Imaging;

namespace Siamorph.Evaluation.Masks;

/// <summary>When a lesion counts as found and a claim as false.</summary>
internal sealed record LesionDetectionOptions
{
    /// <summary>
    /// A lesion is found where the prediction covers at least this share of its pixels, and a claimed region is a false alarm
    /// where less than this share of it lies on lesions; in (0,1].
    /// </summary>
    public double MinimumOverlap { get; init; } = 0.1;

    /// <summary>Claimed regions of fewer pixels are not counted as false alarms; 1 counts all.</summary>
    public int MinimumArea { get; init; } = 1;

    /// <summary>The rule in words, for reports.</summary>
    public string Describe() => string.Create(System.Globalization.CultureInfo.InvariantCulture,
        $"A lesion (region of touching pixels) is found where the decision covers at least {MinimumOverlap:0.##%} of it; a "
            + $"claimed region is a false alarm where less than {MinimumOverlap:0.##%} of it lies on lesions"
            + $"{(MinimumArea > 1 ? $"; regions below {MinimumArea} pixels are ignored" : "")}.");

    /// <summary>Checks the values.</summary>
    /// <exception cref="InvalidOptionsException">A value is out of range; the message lists all.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        if (MinimumOverlap is not (> 0 and <= 1)) faults.Add($"MinimumOverlap {MinimumOverlap}: give a share above 0, up to 1.");
        if (MinimumArea < 1) faults.Add($"MinimumArea {MinimumArea}: give 1 or more pixels.");
        if (faults.Count > 0) throw new InvalidOptionsException(faults);
    }
}

/// <summary>One true lesion.</summary>
/// <param name="Area">Share of the image, in (0,1].</param>
/// <param name="Found">Whether enough of it was claimed.</param>
internal readonly record struct TrueLesion(double Area, bool Found);

/// <summary>The lesions of one image and what was made of them.</summary>
/// <param name="Lesions">Every true lesion.</param>
/// <param name="FalseAlarms">Claimed regions where nothing is.</param>
internal sealed record LesionDetection(IReadOnlyList<TrueLesion> Lesions, int FalseAlarms)
{
    /// <summary>Lesions that were not found.</summary>
    public int Missed => Lesions.Count(l => !l.Found);

    /// <summary>Compares a decision with the truth, region by region.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static LesionDetection Of(LabelMap truth, LabelMap prediction, LesionDetectionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(truth);
        ArgumentNullException.ThrowIfNull(prediction);
        if (truth.Size != prediction.Size)
            throw new ArgumentException($"The truth is {truth.Size}, the prediction {prediction.Size}.", nameof(prediction));
        options ??= new();
        ConnectedComponents real = ConnectedComponents.Of(truth), claimed = ConnectedComponents.Of(prediction);
        var (covered, justified) = (new int[real.Count], new int[claimed.Count]);
        for (var i = 0; i < real.Labels.Length; i++)
        {
            if (real.Labels[i] == 0 || claimed.Labels[i] == 0) continue;
            covered[real.Labels[i] - 1]++;
            justified[claimed.Labels[i] - 1]++;
        }
        var lesions = real.Areas.Select((area, i) =>
            new TrueLesion((double)area / truth.Labels.Length, covered[i] >= options.MinimumOverlap * area));
        var alarms = claimed.Areas.Where((area, i) => area >= options.MinimumArea
            && justified[i] < options.MinimumOverlap * area);
        return new([.. lesions], alarms.Count());
    }
}

/// <summary>Lesion-wise results of a set of images.</summary>
internal sealed record LesionSummary
{
    /// <summary>Images.</summary>
    public required int Images { get; init; }

    /// <summary>True lesions.</summary>
    public required int Lesions { get; init; }

    /// <summary>True lesions that were not found.</summary>
    public required int Missed { get; init; }

    /// <summary>Claimed regions where nothing is.</summary>
    public required int FalseAlarms { get; init; }

    /// <summary>Share of the lesions that were found, in [0,1]; null without a lesion.</summary>
    public required double? Sensitivity { get; init; }

    /// <summary>Claimed regions where nothing is, for 100 images.</summary>
    public required double FalseAlarmsPer100Images { get; init; }

    /// <summary>The same by size of the lesion, smallest first; classes without a lesion are left out.</summary>
    public required IReadOnlyList<LesionSizeResult> BySize { get; init; }

    /// <summary>Adds up the images.</summary>
    /// <exception cref="ArgumentException">There is no image.</exception>
    public static LesionSummary Of(IReadOnlyCollection<LesionDetection> images, SizeClasses? classes = null)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (images.Count == 0) throw new ArgumentException("No image to add up.", nameof(images));
        classes ??= SizeClasses.Default;
        var lesions = images.SelectMany(i => i.Lesions).ToList();
        var alarms = images.Sum(i => i.FalseAlarms);
        var found = lesions.Count(l => l.Found);
        return new()
        {
            Images = images.Count,
            Lesions = lesions.Count,
            Missed = lesions.Count - found,
            FalseAlarms = alarms,
            Sensitivity = lesions.Count == 0 ? null : (double)found / lesions.Count,
            FalseAlarmsPer100Images = 100.0 * alarms / images.Count,
            BySize = [.. classes.Names.Select(name => (name, Own: lesions.Where(l => classes.NameOf(l.Area) == name).ToList()))
                .Where(c => c.Own.Count > 0)
                .Select(c => new LesionSizeResult(c.name, c.Own.Count, c.Own.Count(l => !l.Found),
                (double)c.Own.Count(l => l.Found) / c.Own.Count))],
        };
    }
}

/// <summary>Lesions of one size class.</summary>
/// <param name="Size">Name of the class.</param>
/// <param name="Lesions">How many there are.</param>
/// <param name="Missed">How many were not found.</param>
/// <param name="Sensitivity">Share that was found, in [0,1].</param>
internal sealed record LesionSizeResult(string Size, int Lesions, int Missed, double Sensitivity);
