namespace Siamorph;

/// <summary>Finds what someone who mistyped a name probably meant.</summary>
internal static class ClosestName
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

    // Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
    private static int Distance(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) d[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) d[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var substituted = d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                d[i, j] = Math.Min(substituted, 1 + Math.Min(d[i - 1, j], d[i, j - 1]));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }
        return d[a.Length, b.Length];
    }
}
