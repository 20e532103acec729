namespace Siamorph.Tests.Reference;

/// <summary>
/// Numbers in double precision that remember how they came about, so that a gradient can be followed back. Plain loops and no
/// torch: what the networks are held against has nothing in common with them but the papers.
/// </summary>
internal sealed class Grid
{
    private readonly Grid[] _from;
    private readonly Action<double[]>? _back;

    /// <summary>Numbers given from outside; a gradient reaches them if <paramref name="trained"/>.</summary>
    public Grid(int[] shape, double[] data, bool trained = false)
    {
        (Shape, Data, _from, Trained) = (shape, data, [], trained);
        if (shape.Aggregate(1, (a, b) => a * b) != data.Length)
            throw new ArgumentException($"{data.Length} numbers for [{string.Join(",", shape)}].");
    }

    /// <summary>A result.</summary>
    /// <param name="shape">Sizes, outermost first.</param>
    /// <param name="data">Row-major numbers.</param>
    /// <param name="from">What it was computed from.</param>
    /// <param name="back">Takes the gradient of this, adds to the gradients of those.</param>
    public Grid(int[] shape, double[] data, Grid[] from, Action<double[]> back) : this(shape, data)
    {
        Trained = from.Any(f => f.Trained);
        if (Trained) (_from, _back) = (from, back);
    }

    public int[] Shape { get; }

    public double[] Data { get; }

    /// <summary>Whether a gradient passes.</summary>
    public bool Trained { get; }

    /// <summary>Derivative of what <see cref="Backward"/> was called on; null where it does not reach.</summary>
    public double[]? Gradient { get; set; }

    public int Count => Data.Length;

    /// <summary>The same numbers, through which no gradient passes.</summary>
    public Grid Constant => new(Shape, Data);

    /// <summary>Where the derivatives are added up.</summary>
    public double[] Slope => Gradient ??= new double[Count];

    /// <summary>Derivatives of this one number with respect to all that it came from; earlier ones are forgotten.</summary>
    public void Backward()
    {
        var order = Order();
        foreach (var grid in order) grid.Gradient = null;
        Slope[0] = 1;
        for (var i = order.Count - 1; i >= 0; i--)
            if (order[i].Gradient is { } gradient) order[i]._back?.Invoke(gradient);
    }

    // Each after all that it came from.
    private List<Grid> Order()
    {
        var (order, seen, open) = (new List<Grid>(), new HashSet<Grid>(), new Stack<(Grid Grid, int Next)>());
        open.Push((this, 0));
        while (open.TryPop(out var top))
        {
            if (top.Next == 0 && !seen.Add(top.Grid)) continue;
            if (top.Next == top.Grid._from.Length)
            {
                order.Add(top.Grid);
                continue;
            }
            open.Push((top.Grid, top.Next + 1));
            open.Push((top.Grid._from[top.Next], 0));
        }
        return order;
    }
}
