namespace Siamorph.Tests.Reference;

/// <summary>Weights that follow from their names, so that nobody has to store them.</summary>
internal sealed class NamedWeights
{
    private static readonly Seed Source = new(20_250_506);
    private readonly Dictionary<string, Grid> _asked = [];

    /// <summary>All that was asked for.</summary>
    public IReadOnlyDictionary<string, Grid> Asked => _asked;

    /// <summary>The weight of a name; shape 1 × n is a row of a norm's or a bias's numbers.</summary>
    public Grid this[string name, params int[] shape]
    {
        get
        {
            if (!_asked.TryGetValue(name, out var weight)) _asked[name] = weight = new(shape, Of(name, shape), trained: true);
            Assert.Equal(shape, weight.Shape);
            return weight;
        }
    }

    /// <summary>Numbers of a weight: matrices of standard deviation 0.8/√(inputs), a norm's gains about 1, biases about
    /// 0.</summary>
    public static double[] Of(string name, IReadOnlyList<int> shape)
    {
        var size = shape.Aggregate(1, (a, b) => a * b);
        if (name.EndsWith("running_var", StringComparison.Ordinal)) return Uniform(name, size, 0.2, 1);
        if (shape.Count == 1) return name.EndsWith("weight", StringComparison.Ordinal) ? Uniform(name, size, 0.3, 1)
            : Uniform(name, size, 0.15);
        return Uniform(name, size, 0.8 * Math.Sqrt(3.0 * shape[0] / size));
    }

    /// <summary>Numbers within ± <paramref name="reach"/> of the middle that single precision holds exactly.</summary>
    public static double[] Uniform(string name, int count, double reach, double middle = 0)
    {
        var random = Source.Derive(name).Random();
        return [.. Enumerable.Range(0, count).Select(_ => (double)(float)(middle + reach * (2 * random.NextDouble() - 1)))];
    }
}
