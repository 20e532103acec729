namespace Siamorph.Reports.Charts;

/// <summary>How many values fall into each of some equal ranges.</summary>
internal sealed record Histogram : Chart
{
    /// <summary>The values.</summary>
    public required IReadOnlyList<double> Values { get; init; }

    /// <summary>Title of the horizontal axis.</summary>
    public required string XTitle { get; init; }

    /// <summary>What is counted, in the plural.</summary>
    public string Things { get; init; } = "images";

    /// <summary>Number of bars.</summary>
    public int Bars { get; init; } = 20;

    internal override string ToSvg(double width, string style)
    {
        var height = Math.Clamp(width * 0.55, 200, 280);
        var (edges, counts) = Count();
        var x = Scale.Linear(edges[0], edges[^1], Axes.Left, width - Axes.Right);
        var y = Scale.Rounded(0, Math.Max(1, counts.Max()), height - Axes.Bottom, Axes.Top);
        var svg = new SvgDrawing();
        Axes.Draw(svg, x, y, width, height, XTitle, Things);
        for (var i = 0; i < counts.Length; i++)
        {
            if (counts[i] == 0) continue;
            var (from, to) = (x.At(edges[i]), x.At(edges[i + 1]));
            svg.Rectangle(from + 0.5, y.At(counts[i]), Math.Max(0.5, to - from - 1), y.At(0) - y.At(counts[i]), "bar s1",
                $"{Format.Significant(edges[i])} to {Format.Significant(edges[i + 1])}: {counts[i]}");
        }
        return svg.Finish(width, height, Label, style);
    }

    /// <inheritdoc/>
    public override Table ToTable()
    {
        var (edges, counts) = Count();
        return new Table(["from", "to", Things], [.. counts.Select((n, i) => (IReadOnlyList<string>)[
            Format.Significant(edges[i]), Format.Significant(edges[i + 1]), Format.Integer(n)])]);
    }

    private (double[] Edges, int[] Counts) Count()
    {
        var high = Values.Where(double.IsFinite).DefaultIfEmpty(1).Max();
        var step = high > 0 ? high / Bars : 1.0 / Bars;
        var counts = new int[Bars];
        foreach (var value in Values.Where(double.IsFinite)) counts[Math.Clamp((int)(value / step), 0, Bars - 1)]++;
        return ([.. Enumerable.Range(0, Bars + 1).Select(i => i * step)], counts);
    }
}
