namespace Siamorph.Reports.Charts;

/// <summary>An image of numbers: draws itself at a width and gives the same numbers as a table.</summary>
internal abstract record Chart
{
    /// <summary>What a screen reader says in place of the image: one sentence.</summary>
    public required string Label { get; init; }

    /// <summary>Names of the colours used; empty where the image names them itself.</summary>
    public virtual IReadOnlyList<LegendEntry> Legend => [];

    /// <summary>The numbers behind the image, thinned where they are very many.</summary>
    public abstract Table ToTable();

    /// <summary>An inline SVG element, <paramref name="width"/> units wide at a text size of 12 units.</summary>
    public string ToSvg(double width) => ToSvg(width, "");

    internal abstract string ToSvg(double width, string style);
}

/// <summary>One colour of a chart and its meaning.</summary>
/// <param name="Name">What it stands for.</param>
/// <param name="Colour">Number of the colour in the page's palette, from 0.</param>
internal sealed record LegendEntry(string Name, int Colour);

/// <summary>The box of a chart with two axes: grid lines, labels, titles.</summary>
internal static class Axes
{
    internal const double Left = 52, Top = 12, Right = 12, Bottom = 40;

    public static void Draw(SvgDrawing svg, Scale x, Scale y, double width, double height, string xTitle, string yTitle)
    {
        foreach (var tick in y.Ticks)
        {
            svg.Line(Left, y.At(tick), width - Right, y.At(tick), "grid");
            svg.Text(Left - 7, y.At(tick) + 4, y.Label(tick), "tick", Anchor.End);
        }
        DrawX(svg, x, height - Bottom, height, width, xTitle);
        if (yTitle.Length > 0) svg.Text(11, (Top + height - Bottom) / 2, yTitle, "axis", Anchor.Middle, upright: true);
    }

    public static void DrawX(SvgDrawing svg, Scale x, double baseline, double height, double width, string title)
    {
        svg.Line(x.At(double.NegativeInfinity), baseline, x.At(double.PositiveInfinity), baseline, "base");
        foreach (var tick in x.Ticks)
        {
            svg.Line(x.At(tick), baseline, x.At(tick), baseline + 4, "base");
            var anchor = x.At(tick) > width - 14 ? Anchor.End : x.At(tick) < 10 ? Anchor.Start : Anchor.Middle;
            svg.Text(x.At(tick), baseline + 17, x.Label(tick), "tick", anchor);
        }
        var middle = (x.At(double.NegativeInfinity) + x.At(double.PositiveInfinity)) / 2;
        if (title.Length > 0) svg.Text(middle, height - 5, title, "axis", Anchor.Middle);
    }
}
