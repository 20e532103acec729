using System.Globalization;

namespace Siamorph.Reports.Charts;

/// <summary>One line of a <see cref="LineChart"/>.</summary>
/// <param name="Name">What it shows.</param>
/// <param name="Colour">Number of its colour in the palette, from 0.</param>
/// <param name="Points">Points from left to right; those that are not finite numbers are left out.</param>
internal sealed record LineSeries(string Name, int Colour, IReadOnlyList<(double X, double Y)> Points);

/// <summary>Lines over a common horizontal axis, such as losses over steps.</summary>
internal sealed record LineChart : Chart
{
    private const int TableRows = 12, MostDots = 8;

    /// <summary>The lines; several of one name and colour share a legend entry (the seeds of an arm).</summary>
    public required IReadOnlyList<LineSeries> Series { get; init; }

    /// <summary>Title of the horizontal axis.</summary>
    public string XTitle { get; init; } = "step";

    /// <summary>Title of the vertical axis.</summary>
    public string YTitle { get; init; } = "";

    /// <summary>
    /// What the vertical axis has to show at least, such as a range common to several charts; null shows what the lines need.
    /// </summary>
    public (double Low, double High)? YRange { get; init; }

    /// <summary>A logarithmic vertical axis; values that are not positive are left out.</summary>
    public bool LogY { get; init; }

    /// <summary>
    /// Draws the values faint and their running mean over this share of the points strong; 0 draws them as they are.
    /// </summary>
    public double Smoothing { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<LegendEntry> Legend => [.. Series.Select(s => new LegendEntry(s.Name, s.Colour)).Distinct()];

    internal override string ToSvg(double width, string style)
    {
        var height = Math.Clamp(width * 0.6, 220, 320);
        var svg = new SvgDrawing();
        var shown = Series.Select(s => (s.Colour, Points: s.Points.Where(Drawable).ToList()))
            .Where(s => s.Points.Count > 0).ToList();
        if (shown.Count == 0) return svg.Text(width / 2, height / 2, "nothing was recorded", "axis", Anchor.Middle)
            .Finish(width, height, Label, style);
        var all = shown.SelectMany(s => s.Points).ToList();
        var x = Scale.Linear(Math.Min(0, all.Min(p => p.X)), all.Max(p => p.X), Axes.Left, width - Axes.Right);
        var y = LogY
            ? Scale.Logarithmic(all.Min(p => p.Y), all.Max(p => p.Y), height - Axes.Bottom, Axes.Top)
            : Scale.Rounded(Math.Min(all.Min(p => p.Y), YRange?.Low ?? all[0].Y),
            Math.Max(all.Max(p => p.Y), YRange?.High ?? all[0].Y), height - Axes.Bottom, Axes.Top);
        Axes.Draw(svg, x, y, width, height, XTitle, YTitle);
        foreach (var (colour, points) in shown)
        {
            var smooth = Smoothing > 0 && points.Count > 8;
            if (smooth) svg.Path(At(points), $"line faint s{colour}");
            svg.Path(At(smooth ? RunningMean(points) : points), $"line s{colour}");
            if (points.Count > MostDots) continue;
            foreach (var (px, py) in At(points)) svg.Dot(px, py, 3.5, $"dot s{colour}"); // so few points that each was a choice
        }
        return svg.Finish(width, height, Label, style);

        List<(double, double)> At(List<(double X, double Y)> points) => [.. points.Select(p => (x.At(p.X), y.At(p.Y)))];
    }

    /// <inheritdoc/>
    public override Table ToTable()
    {
        var steps = Series.SelectMany(s => s.Points.Select(p => p.X)).Distinct().Order().ToList();
        var rows = Thinned(steps, TableRows).Select(step => (IReadOnlyList<string>)[
            step.ToString("0.###", CultureInfo.InvariantCulture), .. Series.Select(s => ValueAt(s, step))]).ToList();
        return new Table([XTitle, .. Series.Select(s => s.Name)], rows)
        {
            Note = steps.Count > TableRows ? $"{TableRows} of {steps.Count} recorded points." : "",
        };
    }

    internal static IEnumerable<T> Thinned<T>(IReadOnlyList<T> all, int count)
        => all.Count <= count ? all : Enumerable.Range(0, count).Select(i => all[(int)((long)i * (all.Count - 1) / (count - 1))]);

    private static string ValueAt(LineSeries series, double step)
    {
        foreach (var (x, y) in series.Points) if (x == step) return Format.Significant(y);
        return "";
    }

    private bool Drawable((double X, double Y) p) => double.IsFinite(p.X) && double.IsFinite(p.Y) && (!LogY || p.Y > 0);

    private List<(double X, double Y)> RunningMean(List<(double X, double Y)> points)
    {
        var half = Math.Max(1, (int)(points.Count * Smoothing / 2));
        var means = new List<(double X, double Y)>(points.Count);
        for (var i = 0; i < points.Count; i++)
        {
            var reach = Math.Min(half, Math.Min(i, points.Count - 1 - i));
            var window = points.GetRange(i - reach, 2 * reach + 1);
            means.Add((points[i].X, LogY ? Math.Exp(window.Average(p => Math.Log(p.Y))) : window.Average(p => p.Y)));
        }
        return means;
    }
}
