using System.Globalization;

namespace Siamorph.Reports.Charts;

/// <summary>One row of a <see cref="ForestPlot"/>.</summary>
/// <param name="Name">What the row shows.</param>
/// <param name="Value">A share in [0,1].</param>
/// <param name="Low">Lower end of its 95 % interval.</param>
/// <param name="High">Upper end.</param>
/// <param name="Colour">Number of its colour in the palette, from 0.</param>
/// <param name="Strong">The summary of the others: a heavier line.</param>
internal sealed record ForestRow(string Name, double Value, double Low, double High, int Colour, bool Strong = false);

/// <summary>
/// Shares with their intervals under each other, against a line and a band that mean something, such as chance.
/// </summary>
internal sealed record ForestPlot : Chart
{
    private const double Below = 42, Names = 190, Numbers = 190, OneLine = 28, TwoLines = 42, Gap = 10, NarrowBelow = 560;

    /// <summary>The rows from the top.</summary>
    public required IReadOnlyList<ForestRow> Rows { get; init; }

    /// <summary>Title of the axis.</summary>
    public required string XTitle { get; init; }

    /// <summary>Where the line stands.</summary>
    public required double Reference { get; init; }

    /// <summary>What the line is.</summary>
    public required string ReferenceName { get; init; }

    /// <summary>Half the width of the band about the line.</summary>
    public required double Margin { get; init; }

    internal override string ToSvg(double width, string style)
    {
        var narrow = width < NarrowBelow;
        var (row, top) = (narrow ? TwoLines : OneLine, 20.0);
        var bottom = top + Rows.Count * row + Gap * Rows.Count(r => r.Strong);
        var low = Math.Min(Rows.Min(r => r.Low), Reference - 2 * Margin);
        var high = Math.Max(Rows.Max(r => r.High), Reference + 2 * Margin);
        var x = narrow
            ? Scale.Rounded(100 * Math.Max(0, low), 100 * Math.Min(1, high), 14, width - 14)
            : Scale.Rounded(100 * Math.Max(0, low), 100 * Math.Min(1, high), Names, width - Numbers);
        double At(double share) => x.At(100 * share);
        var svg = new SvgDrawing();
        // On a narrow page numbers stand above their marks, where no line may run through them.
        foreach (var (from, to) in narrow ? Tops(top, row).Select(y => (y + 19, y + row - 1)) : [(top, bottom)])
            Behind(svg, x, from, to);
        svg.Text(At(Reference), top - 8, ReferenceName, "hint", Anchor.Middle);
        foreach (var (r, y) in Rows.Zip(Tops(top, row)))
        {
            var middle = y + (narrow ? 30 : row / 2);
            var text = narrow ? y + 14 : middle + 4;
            svg.Text(0, text, r.Name, r.Strong ? "group" : "row");
            svg.Text(width - 2, text, Text(r), r.Strong ? "value" : "row", Anchor.End);
            svg.Line(At(r.Low), middle, At(r.High), middle, $"{(r.Strong ? "interval" : "range")} s{r.Colour}");
            svg.Dot(At(r.Value), middle, r.Strong ? 6.5 : 4.5, $"dot s{r.Colour}", $"{r.Name}: {Text(r)}");
        }
        Axes.DrawX(svg, x, bottom, bottom + Below, width, XTitle);
        return svg.Finish(width, bottom + Below, Label, style);
    }

    /// <inheritdoc/>
    public override Table ToTable() => new(["", "value", "95 % interval"],
        [.. Rows.Select(r =>
            (IReadOnlyList<string>)[r.Name, Format.Percent(r.Value), $"{Format.Percent(r.Low)} to {Format.Percent(r.High)}"])]);

    private IEnumerable<double> Tops(double top, double height) =>
        Rows.Select((_, i) => top + i * height + Gap * Rows.Take(i).Count(r => r.Strong));

    // Band, grid and line.
    private void Behind(SvgDrawing svg, Scale x, double from, double to)
    {
        var (left, right) = (x.At(100 * (Reference - Margin)), x.At(100 * (Reference + Margin)));
        svg.Rectangle(left, from, right - left, to - from, "track");
        foreach (var tick in x.Ticks) svg.Line(x.At(tick), from, x.At(tick), to, "grid");
        svg.Line(x.At(100 * Reference), from, x.At(100 * Reference), to, "diagonal");
    }

    private static string Text(ForestRow r) => $"{Exact(r.Value)}\u00A0%  ({Exact(r.Low)} to {Exact(r.High)})";

    private static string Exact(double share) => (100 * share).ToString("0.0", CultureInfo.InvariantCulture);
}
