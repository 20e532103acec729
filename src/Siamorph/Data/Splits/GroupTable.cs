using Siamorph.Data.Folders;

namespace Siamorph.Data.Splits;

/// <summary>How a table of groups is read.</summary>
public sealed record GroupTableOptions
{
    /// <summary>The column with the names of images; null finds it by its header.</summary>
    public string? NameColumn { get; init; }

    /// <summary>The column with their patients or sequences; null finds it by its header.</summary>
    public string? GroupColumn { get; init; }

    /// <summary>Pairs without a row, and rows without a pair, are no error.</summary>
    public bool AllowPartial { get; init; }
}

/// <summary>What a table of groups gave.</summary>
/// <param name="Dataset">The pairs with their groups.</param>
/// <param name="Matched">Pairs that got a group from the table.</param>
/// <param name="NameColumn">The column that names were found in.</param>
/// <param name="GroupColumn">The column that groups were found in.</param>
/// <param name="Groups">How many groups there are.</param>
public sealed record GroupedDataset(Dataset Dataset, int Matched, string NameColumn, string GroupColumn, int Groups)
{
    /// <summary>One line for the user.</summary>
    public override string ToString() =>
        $"{Matched} of {Dataset.Pairs.Count} pairs got one of {Groups} groups, by the columns '{NameColumn}' and '"
        + $"{GroupColumn}'.";
}

// A CSV with a header line: which image belongs to which patient or sequence. A table that fits in part is refused, for a
// patient torn apart by a split is what the table is there to prevent.
internal static class GroupTable
{
    private const int Named = 3;

    private static readonly string[] NameHeaders =
        ["image", "imageid", "imagename", "imagefile", "id", "name", "file", "filename", "filepath", "path", "stem", "frame",
        "img", "picture", "isicid"];

    private static readonly string[] GroupHeaders =
        ["group", "groupid", "patient", "patientid", "patientname", "subject", "subjectid", "sequence", "sequenceid", "seq",
        "video", "videoid", "case", "caseid", "study", "studyid", "lesion", "lesionid"];

    internal static GroupedDataset Apply(Dataset dataset, string path, GroupTableOptions options)
    {
        var table = CsvTable.Read(path);
        var names = dataset.Pairs.Select(Names).ToList();
        var known = names.SelectMany(n => n).ToHashSet(StringComparer.Ordinal);
        if (table.Header.Any(h => known.Contains(Clean(h))))
            throw new InvalidDatasetException(
                $"{path}: its first line names an image, so it has no header. Put one first, such as image,patient.");
        var name = Column(table, options.NameColumn, NameHeaders, ("--name-column", "the names of images"), path, -1);
        var group = Column(table, options.GroupColumn, GroupHeaders, ("--group-column", "patients or sequences"), path, name);
        var groups = Read(table, (name, group), path);
        var groupOf = names.Select(n => n.Select(groups.GetValueOrDefault).FirstOrDefault(g => g is not null)).ToList();
        if (groupOf.TrueForAll(g => g is null))
            throw new InvalidDatasetException(
                $"{path}: its column '{table.Header[name]}' does not match any pair of {dataset.Folder}. It must contain file "
                    + $"names, with or without extension.");
        if (!options.AllowPartial) Demand(dataset, groupOf, groups.Keys.Where(k => !known.Contains(k)).ToList(),
            (path, table.Header[name]));
        return new(
            dataset with { Pairs = [.. dataset.Pairs.Select((p, i) => p with { Group = groupOf[i] ?? p.Group })] },
            groupOf.Count(g => g is not null), table.Header[name], table.Header[group],
            groupOf.Where(g => g is not null).Distinct().Count());
    }

    // All ways in which a table may name a pair.
    private static string[] Names(ImageMaskPair pair) =>
        [.. new[] { pair.Id, Path.GetFileNameWithoutExtension(pair.ImagePath),
        Path.GetFileName(pair.ImagePath) }.Select(NormalisedName.Of)];

    private static string Clean(string cell)
    {
        var name = NormalisedName.Of(cell.Trim());
        return name[(name.LastIndexOfAny(['/', '\\']) + 1)..];
    }

    private static int Column(CsvTable table, string? asked, string[] headers, (string Flag, string What) role,
        string path, int taken)
    {
        List<int> at = [.. Enumerable.Range(0, table.Header.Count).Where(i => i != taken && (asked is not null
            ? table.Header[i].Equals(asked, StringComparison.OrdinalIgnoreCase)
            : headers.Contains(Plain(table.Header[i]), StringComparer.Ordinal)))];
        if (at.Count == 1) return at[0];
        var found = string.Join(", ", table.Header.Select(h => h.Length > 0 ? $"'{h}'" : "(no name)"));
        throw new InvalidDatasetException(at.Count == 0
            ? $"{path}: {(asked is null ? $"no column is named as if it held {role.What}" : $"there is no column '{asked}'")}; "
            + $"there are {found}. Say which with {role.Flag}."
            : $"{path}: the columns {string.Join(" and ", at.Select(i => $"'{table.Header[i]}'"))} could each hold {role.What}. "
            + $"Say which with {role.Flag}.");
    }

    private static string Plain(string header) => new([.. header.Where(char.IsLetterOrDigit).Select(char.ToLowerInvariant)]);

    private static Dictionary<string, string> Read(CsvTable table, (int Name, int Group) columns, string path)
    {
        var groups = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var row in table.Rows)
        {
            var (name, group) = (Clean(row.Cells[columns.Name]), row.Cells[columns.Group].Trim());
            if (name.Length == 0 || group.Length == 0)
                throw new InvalidDatasetException(
                    $"{path}, line {row.Number}: the name or the group is empty. Fill it in or remove the line.");
            if (!groups.TryAdd(name, group) && groups[name] != group)
                throw new InvalidDatasetException(
                    $"{path}, line {row.Number}: '{name}' is in '{group}' here and in '{groups[name]}' above. Keep one of "
                        + $"the lines.");
        }
        return groups;
    }

    private static void Demand(Dataset dataset, List<string?> groupOf, List<string> unknown, (string Path, string Column) table)
    {
        var without = dataset.Pairs.Where((_, i) => groupOf[i] is null).Select(p => p.Id).ToList();
        List<string> faults = [];
        if (without.Count > 0) faults.Add($"{without.Count} of {dataset.Pairs.Count} pairs have no line ({Some(without)})");
        if (unknown.Count > 0) faults.Add(
            $"{unknown.Count} names in the column '{table.Column}' are those of no pair ({Some(unknown)})");
        if (faults.Count > 0) throw new InvalidDatasetException(
            $"{table.Path}: {string.Join(", and ", faults)}. Complete it, or allow it with --groups-partial.");
    }

    private static string Some(List<string> names) =>
        $"{string.Join(", ", names.Take(Named))}{(names.Count > Named ? ", …" : "")}";
}
