namespace Siamorph.Reports.Charts;

/// <summary>Differences sorted from the lowest to the highest, a bar each: who gained, who lost, how much.</summary>
internal sealed record DifferencePlot : Chart
{
    private const double Left = 60; // its labels carry signs

    /// <summary>Names and differences, in any order.</summary>
    public required IReadOnlyList<(string Name, double Difference)> Values { get; init; }

    /// <summary>Title of the vertical axis.</summary>
    public required string YTitle { get; init; }

    /// <summary>What a bar is, in the plural.</summary>
    public string Things { get; init; } = "images";

    internal override string ToSvg(double width, string style)
    {
        var height = Math.Clamp(width * 0.88, 240, 380);
        var sorted = Values.Where(v => double.IsFinite(v.Difference)).OrderBy(v => v.Difference).ToList();
        var reach = Math.Max(0.02, sorted.Select(v => Math.Abs(v.Difference)).DefaultIfEmpty(0).Max());
        var y = Scale.Rounded(Math.Min(0, sorted.Select(v => v.Difference).DefaultIfEmpty(0).Min() - 0.02 * reach),
            Math.Max(0, sorted.Select(v => v.Difference).DefaultIfEmpty(0).Max() + 0.02 * reach), height - 30, Axes.Top);
        var svg = new SvgDrawing();
        foreach (var tick in y.Ticks)
        {
            svg.Line(Left, y.At(tick), width - 4, y.At(tick), tick == 0 ? "base" : "grid");
            svg.Text(Left - 7, y.At(tick) + 4, (tick > 0 ? "+" : "") + y.Label(tick), "tick", Anchor.End);
        }
        svg.Text(11, (Axes.Top + height - 30) / 2, YTitle, "axis", Anchor.Middle, upright: true);
        var step = (width - 4 - Left) / Math.Max(1, sorted.Count);
        for (var i = 0; i < sorted.Count; i++)
        {
            var (name, difference) = sorted[i];
            var (from, to) = (y.At(Math.Max(0, difference)), y.At(Math.Min(0, difference)));
            svg.Rectangle(Left + i * step + step * 0.1, from, Math.Max(0.6, step * 0.8), Math.Max(0.8, to - from),
                difference >= 0 ? "bar s1" : "bar s0", $"{name}: {Format.Signed(difference)}");
        }
        svg.Text(Left, height - 8, $"{sorted.Count(v => v.Difference < 0)} {Things} lower", "axis");
        svg.Text(width - 4, height - 8, $"{sorted.Count(v => v.Difference > 0)} {Things} higher", "axis", Anchor.End);
        return svg.Finish(width, height, Label, style);
    }

    /// <inheritdoc/>
    public override Table ToTable()
    {
        var sorted = Values.Select(v => v.Difference).Where(double.IsFinite).Order().ToList();
        if (sorted.Count == 0) return new Table(["quantile", "difference"], []);
        return new Table(["quantile", "difference"],
            [.. new[] { 0, 0.1, 0.25, 0.5, 0.75, 0.9, 1 }.Select(q => (IReadOnlyList<string>)[
                q switch { 0 => "lowest", 0.5 => "median", 1 => "highest", _ => Format.Percent(q) },
                Format.Signed(sorted[(int)Math.Round(q * (sorted.Count - 1))])])]);
    }
}
