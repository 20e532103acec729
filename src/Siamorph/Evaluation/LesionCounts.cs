using Siamorph.Imaging;

namespace Siamorph.Evaluation;

/// <summary>Lesions found and missed in one image, part by part.</summary>
/// <param name="Lesions">Connected parts of the truth.</param>
/// <param name="Missed">Those of which less than a tenth was found.</param>
/// <param name="FalseAlarms">Connected parts of the decision that touch no lesion; specks below a thousandth of the image are passed over.</param>
public readonly record struct LesionCounts(int Lesions, int Missed, int FalseAlarms)
{
    private const double FoundShare = 0.1, SpeckShare = 0.001;

    /// <summary>Counts in one image.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static LesionCounts Of(LabelMap truth, LabelMap decision)
    {
        ArgumentNullException.ThrowIfNull(truth);
        ArgumentNullException.ThrowIfNull(decision);
        if (truth.Size != decision.Size) throw new ArgumentException($"The truth is {truth.Size}, the decision {decision.Size}.", nameof(decision));
        var (lesions, lesionCount) = Regions.Label(truth);
        var (parts, partCount) = Regions.Label(decision);
        var (area, found) = (new int[lesionCount + 1], new int[lesionCount + 1]);
        var (size, touches) = (new int[partCount + 1], new bool[partCount + 1]);
        for (var i = 0; i < lesions.Length; i++)
        {
            area[lesions[i]]++;
            size[parts[i]]++;
            if (parts[i] == 0 || lesions[i] == 0) continue;
            found[lesions[i]]++;
            touches[parts[i]] = true;
        }
        return new(lesionCount, Enumerable.Range(1, lesionCount).Count(l => found[l] < FoundShare * area[l]),
            Enumerable.Range(1, partCount).Count(p => !touches[p] && size[p] >= SpeckShare * lesions.Length));
    }
}
