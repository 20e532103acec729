namespace Siamorph.Reports.Charts;

/// <summary>A named point.</summary>
/// <param name="Name">Shown when the pointer rests on it, and in the table.</param>
/// <param name="X">Horizontal value.</param>
/// <param name="Y">Vertical value.</param>
internal sealed record NamedPoint(string Name, double X, double Y);

/// <summary>The same quantity under two conditions, on a square with its diagonal: above it the second is higher.</summary>
internal sealed record ScatterPlot : Chart
{
    private const int TableRows = 60;

    /// <summary>The points, both values in [0,1].</summary>
    public required IReadOnlyList<NamedPoint> Points { get; init; }

    /// <summary>Title of the horizontal axis.</summary>
    public required string XTitle { get; init; }

    /// <summary>Title of the vertical axis.</summary>
    public required string YTitle { get; init; }

    internal override string ToSvg(double width, string style)
    {
        var height = width + Axes.Bottom + Axes.Top - Axes.Left - Axes.Right;
        var x = Scale.Linear(0, 1, Axes.Left, width - Axes.Right);
        var y = Scale.Linear(0, 1, height - Axes.Bottom, Axes.Top);
        var svg = new SvgDrawing();
        Axes.Draw(svg, x, y, width, height, XTitle, YTitle);
        svg.Line(x.At(0), y.At(0), x.At(1), y.At(1), "diagonal");
        svg.Text(x.At(0) + 10, y.At(1) + 16, $"higher for {Points.Count(p => p.Y > p.X)}", "hint");
        svg.Text(x.At(1) - 8, y.At(0) - 10, $"lower for {Points.Count(p => p.Y < p.X)}", "hint", Anchor.End);
        foreach (var p in Points)
        {
            svg.Dot(x.At(p.X), y.At(p.Y), 3.5, p.Y >= p.X ? "point s1" : "point s0",
                $"{p.Name}: {Format.Score(p.X)} → {Format.Score(p.Y)}");
        }
        return svg.Finish(width, height, Label, style);
    }

    /// <inheritdoc/>
    public override Table ToTable() => new(
        ["image", XTitle, YTitle, "difference"],
        [.. LineChart.Thinned([.. Points.OrderBy(p => p.Y - p.X)], TableRows).Select(p => (IReadOnlyList<string>)[
            p.Name, Format.Score(p.X), Format.Score(p.Y), Format.Signed(p.Y - p.X)])])
    {
        Note = Points.Count > TableRows
            ? $"{TableRows} of {Points.Count} images, evenly over the sorted differences; all are in per-image.csv." : "",
    };
}
