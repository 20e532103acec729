using System.Globalization;
using Siamorph.Evaluation.Statistics;

namespace Siamorph.Synthesis;

/// <summary>The limits of the gate, each set by held-out real pairs.</summary>
/// <param name="Agreement">Least chance that networks give a pixel under the mask a higher probability of lesion than one beside
/// it; 0.5 is what a wrong mask gets.</param>
/// <param name="Contrast">Least difference of colour across the mask's border, in deviations of the image.</param>
/// <param name="Copy">Least distance to the nearest training image, in 8-bit levels at 32 × 32 pixels.</param>
/// <param name="Outlier">Largest distance to the real images in simple features, in their deviations.</param>
/// <param name="SmallestShare">Least share of the image under the mask.</param>
/// <param name="LargestShare">Largest share.</param>
/// <param name="MostLesions">Most connected parts of a mask.</param>
public sealed record GateLimits(
    double Agreement, double Contrast, double Copy, double Outlier, double SmallestShare, double LargestShare, int MostLesions);

/// <summary>What the gate said about one pair.</summary>
public sealed record GateVerdict
{
    /// <summary>The pair.</summary>
    public required string Id { get; init; }

    /// <summary>Why it was refused; empty where it passed.</summary>
    public required IReadOnlyList<GateReason> Reasons { get; init; }

    /// <summary>Whether it passed and is among those chosen.</summary>
    public required bool Kept { get; init; }

    /// <summary>How well its mask and what networks trained on real pairs find agree, in [0,1]; 0.5 is chance.</summary>
    public required double Agreement { get; init; }

    /// <summary>Mean cross-entropy of its mask under what networks trained on real pairs find, in nats.</summary>
    public required double Difficulty { get; init; }

    /// <summary>One line for the manifest: "kept", "passed, not needed" or "refused: …".</summary>
    public string Line => Kept ? "kept" : Reasons.Count == 0 ? "passed, not needed"
        : $"refused: {string.Join("; ", Reasons.Select(r => r.Text))}";
}

/// <summary>One reason to refuse a pair.</summary>
/// <param name="Kind">Short name: "agreement", "contrast", "mask", "copy", "outlier".</param>
/// <param name="Text">The reason with its numbers.</param>
public sealed record GateReason(string Kind, string Text);

/// <summary>
/// Refuses synthetic pairs that would harm: image and mask disagree, no border under the mask's border, an illegal mask, a
/// near-copy of a training image (unless it was made of one by intent), an image unlike all real ones. Every limit is calibrated
/// so that it would refuse the same small share of real pairs, each judged as if it were not among the training pairs.
/// </summary>
internal sealed class QualityGate
{
    private const int Neighbours = 3;
    private const int WrongMasks = 3; // given to each real image, to see what the gate can see
    private const double AreaSlack = 1.5; // masks may be so much smaller or larger than any real one
    private readonly List<PairMeasurement> _real;
    private readonly double[] _centre, _spread;

    /// <summary>Calibrates the gate.</summary>
    /// <param name="real">The real training pairs, each with what networks find that were trained without it.</param>
    /// <param name="options">The share of real pairs that each limit may refuse.</param>
    /// <exception cref="ArgumentException">There are fewer than four real pairs.</exception>
    public QualityGate(IReadOnlyList<GateInput> real, GateOptions options)
    {
        ArgumentNullException.ThrowIfNull(real);
        ArgumentNullException.ThrowIfNull(options);
        if (real.Count < 4) throw new ArgumentException($"The gate needs four real pairs, there are {real.Count}.", nameof(real));
        _real = [.. real.Select(p => new PairMeasurement(p))];
        _centre = [.. Enumerable.Range(0, _real[0].Features.Length).Select(f => _real.Average(r => r.Features[f]))];
        _spread = [.. _centre.Select((c, f) =>
            Math.Max(1e-3, Math.Sqrt(_real.Average(r => (r.Features[f] - c) * (r.Features[f] - c)))))];
        var q = options.RefusedReal;
        var lesions = _real.Where(r => r.Share > 0).ToList();
        Limits = new GateLimits(
            Quantiles.Of(_real.Select(r => r.Agreement), q),
            Quantiles.Of(_real.Select(r => r.Contrast).Where(double.IsFinite).DefaultIfEmpty(0), q),
            Quantiles.Of(_real.Select(r => Nearest(r).Distance), q),
            Quantiles.Of(_real.Select(Strangeness), 1 - q),
            lesions.Count < _real.Count ? 0 : lesions.Min(r => r.Share) / AreaSlack,
            Math.Min(1, _real.Max(r => r.Share) * AreaSlack),
            _real.Max(r => r.Lesions));
        RealAgreement = _real.Average(r => r.Agreement);
        WrongMasksRefused = ShareOfWrongMasksRefused(real);
    }

    /// <summary>The limits found.</summary>
    public GateLimits Limits { get; }

    /// <summary>Mean agreement of the real pairs, in [0,1]: where it is near 0.5, the networks can't judge.</summary>
    public double RealAgreement { get; }

    /// <summary>
    /// Share of real images with the mask of another real image that are refused for agreement or contrast, in [0,1]: the power
    /// of the gate.
    /// </summary>
    public double WrongMasksRefused { get; }

    /// <summary>Judges pairs and chooses up to <paramref name="wanted"/> of those that pass.</summary>
    /// <param name="pairs">The candidates.</param>
    /// <param name="wanted">Most pairs to keep.</param>
    /// <param name="selection">How to choose where more pass.</param>
    /// <returns>One verdict for each candidate, in their order.</returns>
    public IReadOnlyList<GateVerdict> Judge(IEnumerable<GateInput> pairs, int wanted, GateSelection selection)
    {
        var judged = pairs.Select(p => new PairMeasurement(p))
            .Select(look => (Look: look, Reasons: Reasons(look).ToList())).ToList();
        var passed = judged.Where(j => j.Reasons.Count == 0);
        if (selection == GateSelection.Difficulty) passed = passed.OrderByDescending(j => j.Look.Difficulty);
        var kept = passed.Take(wanted).Select(j => j.Look).ToHashSet();
        return [.. judged.Select(j => new GateVerdict
        {
            Id = j.Look.Id,
            Reasons = j.Reasons,
            Kept = kept.Contains(j.Look),
            Agreement = Math.Round(j.Look.Agreement, 4),
            Difficulty = Math.Round(j.Look.Difficulty, 4),
        })];
    }

    private IEnumerable<GateReason> Reasons(PairMeasurement look)
    {
        if (MaskFault(look) is { } fault) yield return new("mask", fault);
        if (look.Agreement < Limits.Agreement)
            yield return new("agreement", string.Create(CultureInfo.InvariantCulture,
                $"networks trained on real pairs find another lesion than the mask (agreement "
                + $"{look.Agreement:0.00}, at least {Limits.Agreement:0.00})"));
        if (look.Contrast < Limits.Contrast)
            yield return new("contrast", Text(
                $"no border in the image where the mask has its own ({look.Contrast:0.00}, at least {Limits.Contrast:0.00})"));
        if (!look.IsEditedReal && Nearest(look) is var (id, distance) && distance < Limits.Copy)
            yield return new("copy", Text($"nearly a copy of {id} (distance {distance:0.0}, at least {Limits.Copy:0.0})"));
        if (Strangeness(look) is var strange && strange > Limits.Outlier)
            yield return new("outlier", Text($"unlike all real images (distance {strange:0.0}, at most {Limits.Outlier:0.0})"));
    }

    private string? MaskFault(PairMeasurement look)
    {
        if (look.Share < Limits.SmallestShare || (look.Share == 0 && Limits.SmallestShare > 0))
            return Text($"the mask covers {100 * look.Share:0.0} %, less than any real one");
        if (look.Share > Limits.LargestShare) return Text($"the mask covers {100 * look.Share:0.0} %, more than any real one");
        return look.Lesions > Limits.MostLesions
            ? Text($"the mask has {look.Lesions} parts, real ones have at most {Limits.MostLesions}") : null;
    }

    private double ShareOfWrongMasksRefused(IReadOnlyList<GateInput> real)
    {
        var wrong = Enumerable.Range(1, WrongMasks).Select(k => k * real.Count / (WrongMasks + 1)).Distinct()
            .SelectMany(shift => real.Select((r, i) => r with { Mask = real[(i + shift) % real.Count].Mask }));
        return wrong.Average(w => PairMeasurement.AgreementOf(w.Mask, w.Found) < Limits.Agreement
            || PairMeasurement.BorderContrast(w.Image, w.Mask) < Limits.Contrast ? 1.0 : 0);
    }

    // A real pair is compared with the others: as if it were not among the training pairs.
    private (string Id, double Distance) Nearest(PairMeasurement look)
        => _real.Where(r => r != look).Select(r => (r.Id, Distance: r.Thumbnail.DistanceUpToMirroring(look.Thumbnail)))
        .MinBy(x => x.Distance);

    private double Strangeness(PairMeasurement look)
        => _real.Where(r => r != look).Select(r => FeatureDistance(r, look)).Order().Take(Neighbours).Average();

    private double FeatureDistance(PairMeasurement a, PairMeasurement b)
    {
        double sum = 0;
        for (var f = 0; f < _spread.Length; f++)
        {
            var d = (a.Features[f] - b.Features[f]) / _spread[f];
            sum += d * d;
        }
        return Math.Sqrt(sum / _spread.Length);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
