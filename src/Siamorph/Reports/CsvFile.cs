using System.Text;

namespace Siamorph.Reports;

/// <summary>Writes tables of comma-separated values (RFC 4180, UTF-8, decimal points).</summary>
internal static class CsvFile
{
    /// <summary>Writes headings and rows, whole or not at all.</summary>
    /// <exception cref="SiamorphException">The folder can't be written.</exception>
    public static void Write(string path, IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var text = new StringBuilder().Append(Row(headings));
        foreach (var row in rows) text.Append(Row(row));
        AtomicFile.WriteText(path, text.ToString());
    }

    private static string Row(IReadOnlyList<string> cells) => string.Join(',', cells.Select(Cell)) + "\r\n";

    private static string Cell(string text)
    {
        // A spreadsheet would run such a cell as a formula; numbers keep their sign.
        if (text.Length > 0 && text[0] is '=' or '+' or '-' or '@'
            && !double.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out _))
            text = "'" + text;
        return text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
