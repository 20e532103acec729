namespace Siamorph.Reports.Charts;

/// <summary>Named quantities as horizontal bars under their names, such as the time each stage took.</summary>
internal sealed record BarList : Chart
{
    private const double RowHeight = 34;

    /// <summary>Name, quantity, the quantity as text, and colour number of each bar from the top.</summary>
    public required IReadOnlyList<(string Name, double Value, string Text, int Colour)> Bars { get; init; }

    /// <summary>Heading of the quantities in the table.</summary>
    public required string Quantity { get; init; }

    internal override string ToSvg(double width, string style)
    {
        var svg = new SvgDrawing();
        var x = Scale.Linear(0, Bars.Select(b => b.Value).DefaultIfEmpty(1).Max(), 0, width - 2);
        for (var i = 0; i < Bars.Count; i++)
        {
            var (name, value, text, colour) = Bars[i];
            svg.Text(0, i * RowHeight + 14, name, "row").Text(width - 2, i * RowHeight + 14, text, "value", Anchor.End);
            svg.Rectangle(0, i * RowHeight + 19, width - 2, 7, "track");
            svg.Rectangle(0, i * RowHeight + 19, Math.Max(1, x.At(value)), 7, $"bar s{colour}");
        }
        return svg.Finish(width, Math.Max(1, Bars.Count) * RowHeight, Label, style);
    }

    /// <inheritdoc/>
    public override Table ToTable() => new(["", Quantity], [.. Bars.Select(b => (IReadOnlyList<string>)[b.Name, b.Text])]);
}
