namespace Siamorph.Reports.Charts;

/// <summary>One curve of a <see cref="RocPlot"/>.</summary>
/// <param name="Name">Whose it is.</param>
/// <param name="Negatives">How many negatives got each score, from the lowest.</param>
/// <param name="Positives">How many positives did.</param>
/// <param name="Area">The area under it.</param>
/// <param name="Strong">The summary of the others.</param>
internal sealed record RocCurve(string Name, IReadOnlyList<int> Negatives, IReadOnlyList<int> Positives, double Area,
    bool Strong = false)
{
    /// <summary>The curve's corners, from (0, 0) to (1, 1): every score as a threshold.</summary>
    public IReadOnlyList<(double X, double Y)> Points =>
        [(0, 0), .. Enumerable.Range(1, Negatives.Count).Select(top => (Share(Negatives, top), Share(Positives, top)))];

    private static double Share(IReadOnlyList<int> counts, int top) => (double)counts.TakeLast(top).Sum() / counts.Sum();
}

/// <summary>Hits against false alarms for every threshold: on the diagonal nothing is told apart.</summary>
internal sealed record RocPlot : Chart
{
    /// <summary>The curves.</summary>
    public required IReadOnlyList<RocCurve> Curves { get; init; }

    /// <summary>Title of the horizontal axis.</summary>
    public required string XTitle { get; init; }

    /// <summary>Title of the vertical axis.</summary>
    public required string YTitle { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<LegendEntry> Legend => [new("all answers", 1), new("single readers", 0)];

    internal override string ToSvg(double width, string style)
    {
        var height = width + Axes.Bottom + Axes.Top - Axes.Left - Axes.Right;
        var x = Scale.Linear(0, 1, Axes.Left, width - Axes.Right);
        var y = Scale.Linear(0, 1, height - Axes.Bottom, Axes.Top);
        var svg = new SvgDrawing();
        Axes.Draw(svg, x, y, width, height, XTitle, YTitle);
        svg.Line(x.At(0), y.At(0), x.At(1), y.At(1), "diagonal");
        foreach (var curve in Curves.OrderBy(c => c.Strong))
        {
            var points = curve.Points.Select(p => (x.At(p.X), y.At(p.Y))).ToList();
            svg.Path(points, curve.Strong ? "line s1" : "line faint s0");
            if (!curve.Strong) continue;
            foreach (var (px, py) in points) svg.Dot(px, py, 4, "dot s1", $"{curve.Name}: area {Format.Score(curve.Area)}");
        }
        return svg.Finish(width, height, Label, style);
    }

    /// <inheritdoc/>
    public override Table ToTable()
    {
        var thresholds = Enumerable.Range(2, Curves[0].Negatives.Count - 1).Reverse().Select(t => $"from {t} on");
        return new(["", "area", .. thresholds], [.. Curves.Select(c => (IReadOnlyList<string>)[c.Name, Format.Score(c.Area),
            .. c.Points.Skip(1).SkipLast(1).Select(p => $"{Format.Percent(p.X)} / {Format.Percent(p.Y)}")])])
        {
            Note = $"{XTitle} / {YTitle}, where answers from that number on are taken for positive.",
        };
    }
}
