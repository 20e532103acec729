using System.Globalization;
using System.Net;
using System.Text;

namespace Siamorph.Reports.Charts;

/// <summary>Where a text's given position lies on it.</summary>
internal enum Anchor
{
    Start,
    Middle,
    End,
}

/// <summary>Writes the elements of one SVG image. Colours come from the page's style sheet, through class names.</summary>
internal sealed class SvgDrawing
{
    private readonly StringBuilder _body = new();

    public static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    public SvgDrawing Line(double x1, double y1, double x2, double y2, string style)
        => Add($"""<line class="{style}" x1="{Number(x1)}" y1="{Number(y1)}" x2="{Number(x2)}" y2="{Number(y2)}"/>""");

    public SvgDrawing Rectangle(double x, double y, double width, double height, string style, string? hint = null)
        => AddHinted(
            $"""<rect class="{style}" x="{Number(x)}" y="{Number(y)}" width="{Number(width)}" height="{Number(height)}" """.TrimEnd(),
            "rect", hint);

    public SvgDrawing Dot(double x, double y, double radius, string style, string? hint = null)
        => AddHinted($"""<circle class="{style}" cx="{Number(x)}" cy="{Number(y)}" r="{Number(radius)}" """.TrimEnd(),
        "circle", hint);

    public SvgDrawing Path(IReadOnlyList<(double X, double Y)> points, string style)
    {
        if (points.Count == 0) return this;
        var d = new StringBuilder();
        foreach (var (x, y) in points) d.Append(d.Length == 0 ? 'M' : 'L').Append(Number(x)).Append(' ').Append(Number(y));
        return Add($"""<path class="{style}" d="{d}"/>""");
    }

    public SvgDrawing Text(double x, double y, string text, string style = "", Anchor anchor = Anchor.Start, bool upright = false)
    {
        var side = anchor switch { Anchor.Start => "", Anchor.Middle => " text-anchor=\"middle\"", _ => " text-anchor=\"end\"" };
        var turn = upright ? $""" transform="rotate(-90 {Number(x)} {Number(y)})" """.TrimEnd() : "";
        var look = style.Length > 0 ? $" class=\"{style}\"" : "";
        return Add($"""<text{look} x="{Number(x)}" y="{Number(y)}"{side}{turn}>{WebUtility.HtmlEncode(text)}</text>""");
    }

    /// <summary>The whole image, scaled to the width it is given in the page.</summary>
    /// <param name="width">Units across.</param>
    /// <param name="height">Units down.</param>
    /// <param name="label">What a screen reader says.</param>
    /// <param name="style">Class of the image.</param>
    public string Finish(double width, double height, string label, string style = "")
        => $"""<svg class="chart {style}" role="img" aria-label="{WebUtility.HtmlEncode(label)}" viewBox="0 0 {Number(width)} {Number(height)}">{_body}</svg>""";

    private SvgDrawing AddHinted(string opening, string element, string? hint)
        => Add(hint is null ? opening + "/>" : $"{opening}><title>{WebUtility.HtmlEncode(hint)}</title></{element}>");

    private SvgDrawing Add(string element)
    {
        _body.Append(element);
        return this;
    }
}
