using Siamorph.Imaging;

namespace Siamorph.Evaluation.Radiomics;

/// <summary>
/// Radiomic features of how pixels differ from the mean of their neighbours (NGTDM; definitions of pyradiomics).
/// </summary>
internal static class NgtdmFeatures
{
    private const double Flat = 1e6; // coarseness where nothing differs

    /// <summary>Features by pyradiomics' names.</summary>
    /// <param name="size">Width and height.</param>
    /// <param name="bins">Bin numbers from 1, 0 outside the region.</param>
    public static IReadOnlyDictionary<string, double> Of(ImageSize size, int[] bins)
    {
        var rows = Matrix(size, bins);
        double pixels = rows.Sum(r => (double)r.Count), differences = rows.Sum(r => r.Difference);
        var (level, share, weighted) =
            (rows.Select(r => (double)r.Level).ToArray(), rows.Select(r => r.Count / pixels).ToArray(), new double[rows.Count]);
        for (var i = 0; i < rows.Count; i++) weighted[i] = share[i] * rows[i].Difference;
        double contrast = 0, busy = 0, complexity = 0, strength = 0;
        for (var i = 0; i < rows.Count; i++)
            for (var j = 0; j < rows.Count; j++)
            {
                var apart = level[i] - level[j];
                contrast += share[i] * share[j] * apart * apart;
                busy += Math.Abs(level[i] * share[i] - level[j] * share[j]);
                complexity += Math.Abs(apart) * (weighted[i] + weighted[j]) / (share[i] + share[j]);
                strength += (share[i] + share[j]) * apart * apart;
            }
        var total = weighted.Sum();
        return new Dictionary<string, double>
        {
            ["Coarseness"] = total == 0 ? Flat : 1 / total,
            ["Contrast"] = rows.Count < 2 ? 0 : contrast / (rows.Count * (rows.Count - 1.0)) * (differences / pixels),
            ["Busyness"] = busy == 0 ? 0 : total / busy,
            ["Complexity"] = complexity / pixels,
            ["Strength"] = differences == 0 ? 0 : strength / differences,
        };
    }

    // A row for each level that occurs at a pixel with a neighbour in the region.
    internal static IReadOnlyList<(int Level, long Count, double Difference)> Matrix(ImageSize size, int[] bins)
    {
        ArgumentNullException.ThrowIfNull(bins);
        var rows = new SortedDictionary<int, (long Count, double Difference)>();
        for (var i = 0; i < bins.Length; i++)
        {
            if (bins[i] == 0) continue;
            var (sum, number) = (0L, 0);
            foreach (var next in GlrlmGlszmFeatures.Neighbours(size, i))
                if (bins[next] != 0) (sum, number) = (sum + bins[next], number + 1);
            if (number == 0) continue;
            var (count, difference) = rows.GetValueOrDefault(bins[i]);
            rows[bins[i]] = (count + 1, difference + Math.Abs(bins[i] - (double)sum / number));
        }
        return [.. rows.Select(r => (r.Key, r.Value.Count, r.Value.Difference))];
    }
}
