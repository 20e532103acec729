namespace Siamorph.Reports.Charts;

/// <summary>Points of two sets on a plane whose axes have no units.</summary>
internal sealed record FeatureMapPlot : Chart
{
    private const int TableRows = 40;

    /// <summary>Points of the first set.</summary>
    public required IReadOnlyList<NamedPoint> Real { get; init; }

    /// <summary>Points of the second set, drawn above.</summary>
    public required IReadOnlyList<NamedPoint> Synthetic { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<LegendEntry> Legend =>
        [new($"real ({Real.Count})", 0), new($"synthetic ({Synthetic.Count})", 2)];

    internal override string ToSvg(double width, string style)
    {
        var height = Math.Clamp(width * .62, 260, 560);
        List<NamedPoint> all = [.. Real, .. Synthetic];
        var x = Scale.Rounded(all.Min(p => p.X), all.Max(p => p.X), Axes.Left, width - Axes.Right);
        var y = Scale.Rounded(all.Min(p => p.Y), all.Max(p => p.Y), height - Axes.Bottom, Axes.Top);
        var svg = new SvgDrawing();
        Axes.Draw(svg, x, y, width, height, "first principal component", "second principal component");
        var radius = all.Count > 1000 ? 2 : 3;
        foreach (var p in Real) svg.Dot(x.At(p.X), y.At(p.Y), radius, "point s0", $"real: {p.Name}");
        foreach (var p in Synthetic) svg.Dot(x.At(p.X), y.At(p.Y), radius, "point s2", $"synthetic: {p.Name}");
        return svg.Finish(width, height, Label, style);
    }

    /// <inheritdoc/>
    public override Table ToTable()
    {
        IReadOnlyList<string> Row(string set, NamedPoint p) => [p.Name, set, Format.Significant(p.X), Format.Significant(p.Y)];
        List<IReadOnlyList<string>> rows =
            [.. LineChart.Thinned(Real, TableRows).Select(p => Row("real", p)),
            .. LineChart.Thinned(Synthetic, TableRows).Select(p => Row("synthetic", p))];
        return new(["picture", "set", "first", "second"], rows)
        {
            Note = Real.Count + Synthetic.Count > rows.Count ? "Some of the points; all are in results.json." : "",
        };
    }
}
