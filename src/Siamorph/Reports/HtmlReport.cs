using System.Globalization;
using System.Net;
using System.Text;

namespace Siamorph.Reports;

/// <summary>Writes a report as one HTML file that needs nothing else: no script, no font, no image from outside.</summary>
internal static class HtmlReport
{
    // Text in charts has 12 units: at these widths about 12 pixels on a phone, in half a page and in a whole one.
    private const double PhoneWidth = 335, HalfWidth = 420, WholeWidth = 900;

    private const int MostStacked = 9; // columns of a table whose rows become cards on a phone

    /// <summary>Writes the file, whole or not at all.</summary>
    /// <exception cref="SiamorphException">The folder can't be written.</exception>
    public static void Write(string path, ReportDocument document) => AtomicFile.WriteText(path, Render(document));

    /// <summary>The same as text.</summary>
    public static string Render(ReportDocument document)
    {
        ArgumentNullException.ThrowIfNull(document);
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>{Escape(document.Title)}</title>
            <link rel="icon" href="data:,">
            <style>{HtmlStyle.Sheet}</style>
            </head>
            <body>
            <header>
            <p class="overline">{Escape(document.Overline)}</p>
            <h1>{Escape(document.Title)}</h1>

            """);
        for (var i = 0; i < document.Answer.Count; i++)
            html.Append(CultureInfo.InvariantCulture,
                $"<p class=\"{(i == 0 ? "answer" : "lead")}\">{Escape(document.Answer[i])}</p>\n");
        if (document.KeyFigures.Count > 0)
        {
            html.Append("<dl class=\"keys\">\n");
            foreach (var key in document.KeyFigures) AppendKey(html, key);
            html.Append("</dl>\n");
        }
        html.Append("<nav aria-label=\"Sections\">");
        foreach (var section in document.Sections)
            html.Append(CultureInfo.InvariantCulture, $"<a href=\"#{Anchor(section.Title)}\">{Escape(section.Title)}</a> ");
        html.Append("</nav>\n</header>\n<main>\n");
        foreach (var section in document.Sections)
        {
            html.Append(CultureInfo.InvariantCulture,
                $"<section id=\"{Anchor(section.Title)}\">\n<h2>{Escape(section.Title)}</h2>\n");
            AppendBlocks(html, section.Blocks);
            html.Append("</section>\n");
        }
        html.Append(CultureInfo.InvariantCulture, $"</main>\n<footer>{Escape(document.Footer)}</footer>\n</body>\n</html>\n");
        return html.ToString();
    }

    private static string Escape(string text) => WebUtility.HtmlEncode(text);

    private static string Anchor(string title)
        => string.Concat(title.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')).Trim('-');

    private static void AppendKey(StringBuilder html, KeyFigure key)
        => html.Append(CultureInfo.InvariantCulture, $"""
            <div class="key {ClassOf(key.Tone)}"><dt>{Escape(key.Label)}</dt><dd class="number">{Escape(key.Value)}</dd><dd>{Escape(key.Note)}</dd></div>

            """);

    private static string ClassOf(Tone tone) => tone switch { Tone.Good => "good", Tone.Bad => "bad", _ => "neutral" };

    // Figures that follow each other share a grid.
    private static void AppendBlocks(StringBuilder html, IReadOnlyList<Block> blocks)
    {
        var inGrid = false;
        foreach (var block in blocks)
        {
            if (block is Figure != inGrid) html.Append(inGrid ? "</div>\n" : "<div class=\"figures\">\n");
            inGrid = block is Figure;
            AppendBlock(html, block);
        }
        if (inGrid) html.Append("</div>\n");
    }

    private static void AppendBlock(StringBuilder html, Block block)
    {
        switch (block)
        {
            case Paragraph p:
                html.Append(CultureInfo.InvariantCulture,
                    $"<p{(p.Tone == Tone.Neutral ? "" : $" class=\"notice {ClassOf(p.Tone)}\"")}>{Escape(p.Text)}</p>\n");
                break;
            case Link link:
                html.Append(CultureInfo.InvariantCulture, $"<p><a href=\"{Escape(link.Address)}\">{Escape(link.Text)}</a></p>\n");
                break;
            case BulletList list:
                html.Append("<ul class=\"list\">");
                foreach (var item in list.Items) html.Append(CultureInfo.InvariantCulture, $"<li>{Escape(item)}</li>");
                html.Append("</ul>\n");
                break;
            case Table table:
                AppendTable(html, table);
                break;
            case Figure figure:
                AppendFigure(html, figure);
                break;
            case ImageSheet sheet:
                AppendSheet(html, sheet);
                break;
            case CollapsedSection folded:
                html.Append(CultureInfo.InvariantCulture, $"<details><summary>{Escape(folded.Title)}</summary>\n");
                AppendBlocks(html, folded.Blocks);
                html.Append("</details>\n");
                break;
            default:
                throw new ArgumentException($"No way to write a {block.GetType().Name}.", nameof(block));
        }
    }

    private static void AppendTable(StringBuilder html, Table table)
    {
        var stacked = table.Headings.Count is >= 4 and <= MostStacked && !table.Headings.Contains("");
        html.Append(CultureInfo.InvariantCulture, $"<div class=\"scroll{(stacked ? " stack" : "")}\"><table><thead><tr>");
        for (var i = 0; i < table.Headings.Count; i++)
        {
            var numeric = table.Rows.Count > 0 && i > 0 && table.Rows.All(r => LooksNumeric(r[i]));
            html.Append(CultureInfo.InvariantCulture,
                $"<th scope=\"col\"{(numeric ? " class=\"n\"" : "")}>{Escape(table.Headings[i])}</th>");
        }
        html.Append("</tr></thead><tbody>\n");
        foreach (var row in table.Rows)
        {
            html.Append("<tr>");
            for (var i = 0; i < row.Count; i++)
            {
                html.Append(i == 0
                    ? "<th scope=\"row\""
                        + (stacked && LooksNumeric(row[i]) ? $" data-label=\"{Escape(table.Headings[i])}\"" : "")
                        + $">{Escape(row[i])}</th>"
                    : $"<td{(LooksNumeric(row[i]) ? " class=\"n\"" : "")}"
                    + $"{(stacked ? $" data-label=\"{Escape(table.Headings[i])}\"" : "")}>{Escape(row[i])}</td>");
            }
            html.Append("</tr>\n");
        }
        html.Append("</tbody></table></div>\n");
        if (table.Note.Length > 0) html.Append(CultureInfo.InvariantCulture, $"<p class=\"small\">{Escape(table.Note)}</p>\n");
    }

    private static bool LooksNumeric(string cell)
        => cell.Length == 0 || cell == "–"
        || (cell.Length < 28 && cell.TrimStart('<', '\u00A0', ' ', '+', '−', '-') is { Length: > 0 } rest
        && char.IsAsciiDigit(rest[0])
            && !rest.Any(c => c is '/' or '×' or '_' or ':') && rest.Count(char.IsLetter) <= 6);

    private static void AppendFigure(StringBuilder html, Figure figure)
    {
        html.Append(CultureInfo.InvariantCulture,
            $"<figure{(figure.Wide ? " class=\"wide\"" : "")}>\n<figcaption><b>{Escape(figure.Title)}</b> "
                + $"{Escape(figure.Caption)}</figcaption>\n");
        if (figure.Chart.Legend.Count > 0)
        {
            html.Append("<ul class=\"legend\">");
            foreach (var entry in figure.Chart.Legend)
                html.Append(CultureInfo.InvariantCulture,
                    $"<li><i class=\"swatch s{entry.Colour}\"></i>{Escape(entry.Name)}</li>");
            html.Append("</ul>\n");
        }
        html.Append(figure.Chart.ToSvg(figure.Wide ? WholeWidth : HalfWidth, "on-wide"))
            .Append(figure.Chart.ToSvg(PhoneWidth, "on-narrow"));
        html.Append("\n<details class=\"numbers\"><summary>the numbers</summary>\n");
        AppendTable(html, figure.Chart.ToTable());
        html.Append("</details>\n</figure>\n");
    }

    private static void AppendSheet(StringBuilder html, ImageSheet sheet)
    {
        html.Append(CultureInfo.InvariantCulture, $"""
            <figure class="sheet">
            <figcaption><b>{Escape(sheet.Title)}</b> {Escape(sheet.Caption)}</figcaption>
            <label class="switch"><input type="checkbox" checked> outlines</label>
            <div class="tiles"{(sheet.Columns > 0 ? $" style=\"grid-template-columns: repeat({sheet.Columns}, minmax(0, 9rem))\"" : "")}>

            """);
        foreach (var tile in sheet.Tiles)
        {
            var (width, height) = (tile.Size.Width, tile.Size.Height);
            html.Append(CultureInfo.InvariantCulture,
                $"<div class=\"tile\"><div class=\"picture\"><img alt=\"{Escape(tile.Name)}\" width=\"{width}\" height=\""
                    + $"{height}\" src=\"data:image/png;base64,{Convert.ToBase64String(tile.Png)}\">");
            html.Append(CultureInfo.InvariantCulture,
                $"<svg viewBox=\"0 0 {width} {height}\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
            foreach (var (mask, colour) in tile.Outlines)
                html.Append(CultureInfo.InvariantCulture, $"<path class=\"outline o{colour}\" d=\"{MaskOutline.Path(mask)}\"/>");
            html.Append(CultureInfo.InvariantCulture, $"</svg></div><span>{Escape(tile.Name)}</span></div>\n");
        }
        html.Append("</div>\n</figure>\n");
    }
}
