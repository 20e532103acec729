using System.Globalization;
using Siamorph.Evaluation.Statistics;

namespace Siamorph.Experiment.Safety;

/// <summary>
/// What a safety audit found. Distances are mean absolute differences at 32 × 32 pixels in 8-bit levels, up to mirroring.
/// </summary>
internal sealed record SafetyReport
{
    /// <summary>Synthetic pairs looked at.</summary>
    public required int Synthetic { get; init; }

    /// <summary>How many of them are real images that were edited.</summary>
    public int EditedReal { get; init; }

    /// <summary>Pairs the model was trained on.</summary>
    public required int Trained { get; init; }

    /// <summary>Pairs never trained on.</summary>
    public required int HoldOut { get; init; }

    /// <summary>
    /// Share of synthetic images nearer to a training image than to one never trained on, equal numbers of both; 0.5 where
    /// nothing is remembered.
    /// </summary>
    public required double CloserToTrained { get; init; }

    /// <summary>
    /// Two-sided probability of a share so far from one half, if it were chance which of the real images were trained on
    /// (permutation test).
    /// </summary>
    public required double CloserP { get; init; }

    /// <summary>Median of the distance to the nearest training image over that to the nearest image never trained on.</summary>
    public required double MedianRatio { get; init; }

    /// <summary>Images never trained on are seldom nearer than this to a training image.</summary>
    public required double CopyLimit { get; init; }

    /// <summary>Share of the images never trained on that are nearer than <see cref="CopyLimit"/> to a training image.</summary>
    public double CopyShare { get; init; } = 0.01;

    /// <summary>Synthetic images that are nearly copies, the nearest first.</summary>
    public required IReadOnlyList<NearestImages> Copies { get; init; }

    /// <summary>Whether the model's loss tells what it was trained on; null where no model was given.</summary>
    public Membership? Loss { get; init; }

    /// <summary>The same about images without masks that the model learned from; null where there were none.</summary>
    public UnlabelledFindings? Unlabelled { get; init; }

    /// <summary>Whether something was found that speaks against sharing.</summary>
    public bool Alarm => EditedReal > 0 || Copies.Count > 0 || Remembered(CloserToTrained, CloserP, Loss)
        || (Unlabelled is { } u && Remembered(u.CloserToTrained, u.CloserP, u.Loss));

    /// <summary>The findings in sentences, the verdict first.</summary>
    public IReadOnlyList<string> Sentences()
    {
        var copies = string.Create(CultureInfo.InvariantCulture,
            $"{Copies.Count} of {Synthetic} are near-copies of a training image: closer than "
            + $"{CopyLimit:0.0} grey levels, which {100 * CopyShare:0.##} % of the held-out images reach, and twice as close as "
            + $"to any held-out image.");
        var lines = new List<string>
        {
            EditedReal > 0
                ? $"{EditedReal} of {Synthetic} pairs are real images that were edited: they show patients and may be shared "
                + $"only under the same conditions as the real images."
                : Alarm
                ? "There are signs of memorised training images: do not share the model or the pairs before these are "
                + "investigated."
                : "No sign of memorised training images was found. This is no proof: other attacks may find more.",
            copies, Distances("a training image", CloserToTrained, CloserP, MedianRatio),
        };
        if (Loss is not null) lines.Add(Recognised("training images", Loss));
        if (Unlabelled is not { } u) return lines;
        lines.Add(Distances($"one of the {u.Count} training images without masks", u.CloserToTrained, u.CloserP, u.MedianRatio));
        if (u.Loss is not null) lines.Add(Recognised("training images without masks", u.Loss));
        return lines;
    }

    private static bool Remembered(double closer, double p, Membership? loss) => (closer > 0.5 && p < 0.01)
        || loss is { Low: > 0.5 };

    private string Distances(string what, double closer, double p, double ratio) => string.Create(CultureInfo.InvariantCulture,
        $"{100 * closer:0} % of {Synthetic} synthetic images are closer to {what} than to an image that was not trained on (50 % "
            + $"is expected without memorisation; p {(p < 0.001 ? "< 0.001" : FormattableString.Invariant($"= {p:0.000}"))}); "
            + $"the median ratio of both distances is {ratio:0.00}.");

    private static string Recognised(string what, Membership m) => string.Create(CultureInfo.InvariantCulture,
        $"The membership test on the model's loss tells {what} from other images with AUC {m.Auc:0.00} (95 % interval "
            + $"{m.Low:0.00} to {m.High:0.00}; 0.5 is chance); "
            + $"{(m.NonMembers < 100 ? "without a single false positive" : "at 1 % false positives")} "
            + $"{100 * m.TruePositiveRate:0.0} % of the {what} are recognised ({m.Members} against {m.NonMembers} images).");
}

/// <summary>A synthetic image and the real ones nearest to it.</summary>
/// <param name="Id">The synthetic image.</param>
/// <param name="Training">The nearest training image.</param>
/// <param name="ToTrained">Distance to it.</param>
/// <param name="ToHoldOut">Distance to the nearest image never trained on.</param>
internal sealed record NearestImages(string Id, string Training, double ToTrained, double ToHoldOut)
{
    /// <summary>Whether the training image is one without a mask, which base training learned from.</summary>
    public bool Unlabelled { get; init; }

    /// <summary>Distance to training images over distance to others.</summary>
    public double Ratio => ToHoldOut > 0 ? ToTrained / ToHoldOut : 1;
}

/// <summary>What was found about images without masks that base training learned from.</summary>
/// <param name="Count">Their number.</param>
/// <param name="CloserToTrained">As <see cref="SafetyReport.CloserToTrained"/>, to these images.</param>
/// <param name="CloserP">Its probability by chance.</param>
/// <param name="MedianRatio">As <see cref="SafetyReport.MedianRatio"/>, to these images.</param>
/// <param name="Loss">Whether the model's loss under an empty mask tells them from others; null where no model was given.</param>
internal sealed record UnlabelledFindings(
    int Count, double CloserToTrained, double CloserP, double MedianRatio, Membership? Loss);
