namespace Siamorph;

/// <summary>Finds what someone who mistyped a name probably meant.</summary>
public static class ClosestName
{
    /// <summary>The name nearest to <paramref name="typed"/>, or null where none is near enough to be worth a guess.</summary>
    public static string? To(string typed, IEnumerable<string> names)
    {
        ArgumentNullException.ThrowIfNull(typed);
        ArgumentNullException.ThrowIfNull(names);
        var (best, distance) = (default(string), 1 + Math.Max(1, typed.Length / 3));
        foreach (var name in names)
        {
            var d = Distance(typed.ToUpperInvariant(), name.ToUpperInvariant());
            if (d < distance) (best, distance) = (name, d);
        }
        return best;
    }

    // Insertions, deletions and substitutions (Levenshtein), one row at a time.
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, 1 + Math.Min(row[j], row[j - 1]));
            }
        }
        return row[b.Length];
    }
}
