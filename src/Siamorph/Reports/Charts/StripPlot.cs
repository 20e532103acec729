namespace Siamorph.Reports.Charts;

/// <summary>One row of a <see cref="StripPlot"/>.</summary>
/// <param name="Name">What the row shows.</param>
/// <param name="Colour">Number of its colour in the palette, from 0.</param>
/// <param name="Values">One dot each; must not be empty.</param>
/// <param name="ValueNames">Names of the dots, such as "seed 1"; as many as values.</param>
/// <param name="Group">Rows of one group stand together under its name; empty for none.</param>
internal sealed record StripRow(
    string Name, int Colour, IReadOnlyList<double> Values, IReadOnlyList<string> ValueNames, string Group = "")
{
    /// <summary>An interval of the mean, drawn in place of the range of the values and named at the right.</summary>
    public (double Low, double High)? Interval { get; init; }
}

/// <summary>
/// Every value as a dot, with the mean as a tick and the range as a line: for few values where a box would lie.
/// </summary>
internal sealed record StripPlot : Chart
{
    private const double RowHeight = 40, LineHeight = 15, GroupHeight = 26, Top = 4;

    /// <summary>The rows from the top.</summary>
    public required IReadOnlyList<StripRow> Rows { get; init; }

    /// <summary>Title of the axis.</summary>
    public string XTitle { get; init; } = "";

    /// <summary>The values are differences: they carry signs, and zero is marked.</summary>
    public bool Differences { get; init; }

    internal override string ToSvg(double width, string style)
    {
        var groups = Rows.Select(r => r.Group).Distinct().Count(g => g.Length > 0);
        // The number takes a line of its own
        var below = Rows.Any(r => (r.Name.Length + Text(r).Length) * 6.9 + 12 > width) ? LineHeight : 0;
        var height = Top + Rows.Count * (RowHeight + below) + groups * GroupHeight + 46;
        var all = Rows.SelectMany(r => r.Values).Where(double.IsFinite).DefaultIfEmpty(0).ToList();
        foreach (var (low, high) in Rows.Select(r => r.Interval).OfType<(double, double)>()) all.AddRange([low, high]);
        if (Differences) all.Add(0);
        var room = Math.Max(0.01, (all.Max() - all.Min()) * 0.08);
        var x = Scale.Rounded(all.Min() - room, all.Max() + room, 16, width - 16);
        var svg = new SvgDrawing();
        foreach (var tick in x.Ticks) svg.Line(x.At(tick), Top, x.At(tick), height - 42, Differences
            && tick == 0 ? "base" : "grid");
        var (top, group) = (Top, "");
        foreach (var row in Rows)
        {
            if (row.Group != group && row.Group.Length > 0)
            {
                svg.Text(0, top + 18, row.Group, "group");
                top += GroupHeight;
            }
            group = row.Group;
            DrawRow(svg, x, row, top, width, below);
            top += RowHeight + below;
        }
        Axes.DrawX(svg, x, height - 42, height, width, XTitle);
        return svg.Finish(width, height, Label, style);
    }

    /// <inheritdoc/>
    public override Table ToTable()
    {
        Func<double, string> number = Differences ? Format.Signed : Format.Score;
        string[] interval = Rows.Any(r => r.Interval is not null) ? ["95 % interval"] : [];
        return new(
            ["", "mean", "standard deviation", .. interval, "values"],
            [.. Rows.Select(r => (IReadOnlyList<string>)[
                r.Group.Length > 0 ? $"{r.Group}: {r.Name}"
                    : r.Name, number(r.Values.Average()), Format.Score(Format.Deviation(r.Values)),
                .. interval.Select(_ => r.Interval is { } i ? $"{number(i.Low)} to {number(i.High)}" : ""),
                string.Join("  ", r.Values.Select(number))])]);
    }

    private string Text(StripRow row)
    {
        var mean = row.Values.Average();
        Func<double, string> number = Differences ? Format.Signed : Format.Score;
        return row.Interval is var (low, high) ? $"{number(mean)}  ({number(low)} to {number(high)})"
            : row.Values.Count > 1 ? $"{number(mean)} ± {Format.Score(Format.Deviation(row.Values))}" : number(mean);
    }

    private void DrawRow(SvgDrawing svg, Scale x, StripRow row, double top, double width, double below)
    {
        var mean = row.Values.Average();
        Func<double, string> number = Differences ? Format.Signed : Format.Score;
        var (low, high) = row.Interval ?? (row.Values.Min(), row.Values.Max());
        svg.Text(0, top + 13, row.Name, "row");
        svg.Text(below > 0 ? 0 : width - 2, top + 13 + below, Text(row), "value", below > 0 ? Anchor.Start : Anchor.End);
        var y = top + 27 + below;
        svg.Line(x.At(low), y, x.At(high), y, $"range s{row.Colour}");
        svg.Line(x.At(mean), y - 9, x.At(mean), y + 9, $"mean s{row.Colour}");
        for (var i = 0; i < row.Values.Count; i++)
            svg.Dot(x.At(row.Values[i]), y, 4.5, $"dot s{row.Colour}", $"{row.ValueNames[i]}: {number(row.Values[i])}");
    }
}
