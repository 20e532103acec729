namespace Siamorph.Reports.Charts;

/// <summary>How often each point of a scale was chosen, two kinds side by side.</summary>
internal sealed record RatingBars : Chart
{
    /// <summary>Answers of the first kind, from the lowest point.</summary>
    public required IReadOnlyList<int> First { get; init; }

    /// <summary>Answers of the second kind.</summary>
    public required IReadOnlyList<int> Second { get; init; }

    /// <summary>What both kinds are called.</summary>
    public (string First, string Second) Kinds { get; init; } = ("real images", "synthetic images");

    /// <summary>The words of the scale, one a point.</summary>
    public required IReadOnlyList<string> Words { get; init; }

    /// <summary>As high as wide, to stand beside a square chart.</summary>
    public bool Square { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<LegendEntry> Legend => [new(Kinds.First, 0), new(Kinds.Second, 1)];

    internal override string ToSvg(double width, string style)
    {
        var height = Square ? width + Axes.Bottom + Axes.Top - Axes.Left - Axes.Right : Math.Clamp(width * 0.58, 210, 280);
        var (first, second) = (Shares(First), Shares(Second));
        var y = Scale.Rounded(0, 100 * Math.Max(0.05, first.Concat(second).Max()), height - Axes.Bottom, Axes.Top);
        var svg = new SvgDrawing();
        foreach (var tick in y.Ticks)
        {
            svg.Line(Axes.Left, y.At(tick), width - Axes.Right, y.At(tick), tick == 0 ? "base" : "grid");
            svg.Text(Axes.Left - 7, y.At(tick) + 4, y.Label(tick), "tick", Anchor.End);
        }
        svg.Text(11, (Axes.Top + height - Axes.Bottom) / 2, "answers (%)", "axis", Anchor.Middle, upright: true);
        var step = (width - Axes.Right - Axes.Left) / first.Length;
        for (var i = 0; i < first.Length; i++)
        {
            var left = Axes.Left + i * step;
            Bar(left + step * 0.14, first[i], First[i], Kinds.First, 0);
            Bar(left + step * 0.51, second[i], Second[i], Kinds.Second, 1);
            svg.Text(left + step / 2, height - Axes.Bottom + 17, $"{i + 1}", "tick", Anchor.Middle);

            void Bar(double x, double share, int count, string kind, int colour) => svg.Rectangle(
                x, y.At(100 * share), step * 0.35, y.At(0) - y.At(100 * share), $"bar s{colour}",
                $"{kind}, {Words[i]}: {count} ({Format.Percent(share)})");
        }
        svg.Text(Axes.Left + step * 0.14, height - 5, Words[0], "axis");
        svg.Text(width - Axes.Right - step * 0.14, height - 5, Words[^1], "axis", Anchor.End);
        return svg.Finish(width, height, Label, style);
    }

    /// <inheritdoc/>
    public override Table ToTable()
    {
        var (first, second) = (Shares(First), Shares(Second));
        return new(["answer", Kinds.First, "share", Kinds.Second, "share"], [.. Words.Select((w, i) => (IReadOnlyList<string>)[
            $"{i + 1}, {w}", Format.Integer(First[i]), Format.Percent(first[i]), Format.Integer(Second[i]),
            Format.Percent(second[i])])]);
    }

    private static double[] Shares(IReadOnlyList<int> counts) => [.. counts.Select(c => (double)c / Math.Max(1, counts.Sum()))];
}
