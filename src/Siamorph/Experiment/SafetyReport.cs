using Siamorph.Evaluation;

namespace Siamorph.Experiment;

/// <summary>What a safety audit found. Distances are mean absolute differences at 32 × 32 pixels in 8-bit levels, up to mirroring.</summary>
public sealed record SafetyReport
{
    /// <summary>Synthetic pairs looked at.</summary>
    public required int Synthetic { get; init; }

    /// <summary>Pairs the model was trained on.</summary>
    public required int Trained { get; init; }

    /// <summary>Pairs never trained on.</summary>
    public required int HoldOut { get; init; }

    /// <summary>Share of synthetic images nearer to a training image than to one never trained on, equal numbers of both; 0.5 where nothing is remembered.</summary>
    public required double CloserToTrained { get; init; }

    /// <summary>Two-sided probability of a share so far from one half by chance (sign test).</summary>
    public required double CloserP { get; init; }

    /// <summary>Median of the distance to the nearest training image over that to the nearest image never trained on.</summary>
    public required double MedianRatio { get; init; }

    /// <summary>Images never trained on are seldom nearer than this to a training image.</summary>
    public required double CopyLimit { get; init; }

    /// <summary>Synthetic images that are nearly copies, the nearest first.</summary>
    public required IReadOnlyList<NearestImages> Copies { get; init; }

    /// <summary>Whether the model's loss tells what it was trained on; null where no model was given.</summary>
    public Membership? Loss { get; init; }

    /// <summary>Whether something was found that speaks against sharing.</summary>
    public bool Alarm => Copies.Count > 0 || (CloserToTrained > 0.5 && CloserP < 0.01) || Loss is { Low: > 0.5 };

    /// <summary>The findings in sentences, the verdict first.</summary>
    public IReadOnlyList<string> Sentences()
    {
        FormattableString distances = $"{100 * CloserToTrained:0} % of {Synthetic} synthetic images lie nearer to a training image than to one never trained on (50 % is expected where nothing is remembered; p = {CloserP:0.000}); the median ratio of both distances is {MedianRatio:0.00}.";
        FormattableString copies = $"{Copies.Count} of {Synthetic} are nearly copies of a training image (nearer than {CopyLimit:0.0} levels, which one never-trained image in a hundred reaches, and twice as near as to any such image).";
        var lines = new List<string>
        {
            Alarm ? "There are signs that training images are remembered: do not share model or pairs before these are looked into."
                : "No sign was found that training images are remembered. That is no proof: other attacks may find more.",
            FormattableString.Invariant(copies), FormattableString.Invariant(distances),
        };
        if (Loss is { } m)
            lines.Add(FormattableString.Invariant($"By its loss the model tells training images from others with AUC {m.Auc:0.00} (95 % interval {m.Low:0.00} to {m.High:0.00}; 0.5 tells nothing); at 1 % false positives {100 * m.TruePositiveRate:0.0} % of the training images are recognised ({m.Members} against {m.NonMembers} images)."));
        return lines;
    }
}

/// <summary>A synthetic image and the real ones nearest to it.</summary>
/// <param name="Id">The synthetic image.</param>
/// <param name="Training">The nearest training image.</param>
/// <param name="ToTrained">Distance to it.</param>
/// <param name="ToHoldOut">Distance to the nearest image never trained on.</param>
/// <param name="Closer">Nearer to training images than to as many that were never trained on.</param>
public sealed record NearestImages(string Id, string Training, double ToTrained, double ToHoldOut, bool Closer)
{
    /// <summary>Distance to training images over distance to others.</summary>
    public double Ratio => ToHoldOut > 0 ? ToTrained / ToHoldOut : 1;
}
