using System.Globalization;
using System.Text;

namespace Siamorph.Reports;

/// <summary>Writes the same report as Markdown: charts become tables, images stay in the HTML file.</summary>
internal static class MarkdownReport
{
    /// <summary>Writes the file, whole or not at all.</summary>
    /// <exception cref="SiamorphException">The folder can't be written.</exception>
    public static void Write(string path, ReportDocument document) => AtomicFile.WriteText(path, Render(document));

    /// <summary>The same as text.</summary>
    public static string Render(ReportDocument document)
    {
        ArgumentNullException.ThrowIfNull(document);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# {Escape(document.Title)}\n\n{Escape(document.Overline)}\n\n");
        for (var i = 0; i < document.Answer.Count; i++)
            text.Append(CultureInfo.InvariantCulture,
                $"{(i == 0 ? "**" : "")}{Escape(document.Answer[i])}{(i == 0 ? "**" : "")}\n\n");
        if (document.KeyFigures.Count > 0)
            AppendBlock(text, new Table(["", "", ""],
                [.. document.KeyFigures.Select(k => (IReadOnlyList<string>)[k.Label, k.Value, k.Note])]), 3);
        foreach (var section in document.Sections)
        {
            text.Append(CultureInfo.InvariantCulture, $"## {Escape(section.Title)}\n\n");
            foreach (var block in section.Blocks) AppendBlock(text, block, 3);
        }
        return text.Append(Escape(document.Footer)).Append('\n').ToString();
    }

    private static void AppendBlock(StringBuilder text, Block block, int level)
    {
        var hashes = new string('#', Math.Min(level, 6));
        switch (block)
        {
            case Paragraph p:
                text.Append(CultureInfo.InvariantCulture, $"{Escape(p.Text)}\n\n");
                break;
            case Link link:
                var address = link.Address.Replace("(", "%28", StringComparison.Ordinal)
                    .Replace(")", "%29", StringComparison.Ordinal);
                text.Append(CultureInfo.InvariantCulture, $"[{Escape(link.Text)}]({address})\n\n");
                break;
            case BulletList list:
                foreach (var item in list.Items) text.Append(CultureInfo.InvariantCulture, $"- {Escape(item)}\n");
                text.Append('\n');
                break;
            case Table table:
                AppendTable(text, table);
                break;
            case Figure figure:
                text.Append(CultureInfo.InvariantCulture, $"{hashes} {Escape(figure.Title)}\n\n{Escape(figure.Caption)}\n\n");
                AppendTable(text, figure.Chart.ToTable());
                break;
            case ImageSheet sheet:
                text.Append(CultureInfo.InvariantCulture,
                    $"{hashes} {Escape(sheet.Title)}\n\n{Escape(sheet.Caption)} The images are in report.html.\n\n");
                break;
            case CollapsedSection folded:
                text.Append(CultureInfo.InvariantCulture, $"{hashes} {Escape(folded.Title)}\n\n");
                foreach (var inner in folded.Blocks) AppendBlock(text, inner, level + 1);
                break;
            default:
                throw new ArgumentException($"No way to write a {block.GetType().Name}.", nameof(block));
        }
    }

    private static void AppendTable(StringBuilder text, Table table)
    {
        text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", table.Headings.Select(Escape))} |\n");
        text.Append(CultureInfo.InvariantCulture, $"|{string.Concat(table.Headings.Select(_ => "---|"))}\n");
        foreach (var row in table.Rows)
            text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", row.Select(Escape))} |\n");
        text.Append('\n');
        if (table.Note.Length > 0) text.Append(CultureInfo.InvariantCulture, $"{Escape(table.Note)}\n\n");
    }

    // Characters that Markdown or the HTML inside it would take as marks.
    private static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var c in text.ReplaceLineEndings(" "))
        {
            if (c is '\\' or '`' or '*' or '_' or '[' or ']' or '<' or '>' or '|' or '#' or '~') escaped.Append('\\');
            escaped.Append(c);
        }
        return escaped.ToString();
    }
}
