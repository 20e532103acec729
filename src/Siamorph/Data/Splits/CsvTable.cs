using System.Text;

namespace Siamorph.Data.Splits;

/// <summary>
/// A table as text (RFC 4180): cells in quotes may hold separators, line ends and doubled quotes. The separator (comma,
/// semicolon or tab) is the one that the header line has most of.
/// </summary>
internal sealed class CsvTable
{
    private static readonly char[] Separators = [',', ';', '\t'];

    private CsvTable(IReadOnlyList<string> header, IReadOnlyList<Row> rows) => (Header, Rows) = (header, rows);

    /// <summary>A line of the table, and its number in the file.</summary>
    public sealed record Row(int Number, IReadOnlyList<string> Cells);

    public IReadOnlyList<string> Header { get; }

    public IReadOnlyList<Row> Rows { get; }

    /// <exception cref="InvalidDatasetException">The file can't be read, is empty, has an open quote, or a row of another
    /// length.</exception>
    public static CsvTable Read(string path)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDatasetException($"{path}: can't be read ({e.Message.TrimEnd('.')}). Check the path.", e);
        }
        var first = text.Split('\n', 2)[0];
        var separator = Separators.MaxBy(s => first.Count(c => c == s));
        var rows = Parse(text, separator, path);
        if (rows.Count == 0) throw new InvalidDatasetException(
            $"{path}: is empty. It needs a header line and a line for each image.");
        if (rows.Find(r => r.Cells.Count != rows[0].Cells.Count) is { } odd)
            throw new InvalidDatasetException(
                $"{path}, line {odd.Number}: has {odd.Cells.Count} cells, the header {rows[0].Cells.Count}. Mend the line, or "
                    + $"put cells with a separator in quotes.");
        return new CsvTable(rows[0].Cells, rows[1..]);
    }

    private static List<Row> Parse(string text, char separator, string path)
    {
        var rows = new List<Row>();
        var cells = new List<string>();
        var cell = new StringBuilder();
        int line = 1, begun = 1, opened = 0;
        bool quoted = false, wasQuoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '\n') line++;
            if (quoted)
            {
                if (c != '"') cell.Append(c);
                else if (i + 1 < text.Length && text[i + 1] == '"') cell.Append(text[++i]);
                else quoted = false;
            }
            else if (c == '"' && cell.ToString().Trim().Length == 0) (quoted, wasQuoted, opened) = (true, true, line);
            else if (c == separator) EndCell();
            else if (c == '\n') EndRow();
            else if (c != '\r') cell.Append(c);
        }
        if (quoted) throw new InvalidDatasetException($"{path}, line {opened}: a quote is opened and not closed. Close it.");
        if (cell.Length > 0 || cells.Count > 0) EndRow();
        return rows;

        void EndCell()
        {
            cells.Add(wasQuoted ? cell.ToString() : cell.ToString().Trim());
            cell.Clear();
            wasQuoted = false;
        }

        void EndRow()
        {
            EndCell();
            if (cells.Exists(v => v.Length > 0)) rows.Add(new(begun, [.. cells]));
            cells.Clear();
            begun = line;
        }
    }
}
