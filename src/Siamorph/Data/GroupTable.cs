namespace Siamorph.Data;

// A CSV of two columns: file stem or pair id, and the group it belongs to.
internal static class GroupTable
{
    internal static Dictionary<string, string> Read(string path)
    {
        var groups = new Dictionary<string, string>(StringComparer.Ordinal);
        var number = 0;
        foreach (var line in Lines(path))
        {
            number++;
            if (number == 1 || string.IsNullOrWhiteSpace(line)) continue; // header
            var cells = line.Split(',', ';', '\t');
            if (cells.Length < 2 || cells[0].Trim().Length == 0 || cells[1].Trim().Length == 0)
                throw new InvalidDatasetException($"{path}, line {number}: expected \"name,group\". Mend or remove the line.");
            groups[cells[0].Trim().Trim('"')] = cells[1].Trim().Trim('"');
        }
        return groups;
    }

    private static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDatasetException($"{path}: can't be read ({e.Message.TrimEnd('.')}). Check the path.", e);
        }
    }
}
