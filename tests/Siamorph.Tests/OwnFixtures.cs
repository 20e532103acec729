using System.Text.Json;
using Siamorph.Tests.Reference;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests;

/// <summary>
/// The stored numbers of Fixtures/, made by the double-precision code of Reference/ (Fixtures/README.md). With
/// SIAMORPH_WRITE_FIXTURES=1 a test that would compare the two writes the file instead.
/// </summary>
internal static class OwnFixtures
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    private static string Folder { get; } = Path.Combine(SharedMaterial.RepositoryRoot, "tests", "Siamorph.Tests", "Fixtures");

    /// <summary>What a file of the folder holds.</summary>
    public static Dictionary<string, Tensor> Read(string name) => SafeTensors.Read(Path.Combine(Folder, $"{name}.safetensors"));

    /// <summary>Fails unless a file holds what its code computes, rounded to single precision.</summary>
    public static void AssertMade(string name, IReadOnlyDictionary<string, Grid> computed)
    {
        using var scope = NewDisposeScope();
        if (Environment.GetEnvironmentVariable("SIAMORPH_WRITE_FIXTURES") == "1")
        {
            Directory.CreateDirectory(Folder);
            SafeTensors.Write(Path.Combine(Folder, $"{name}.safetensors"), computed.ToDictionary(p => p.Key, p => Put(p.Value)));
        }
        var stored = Read(name);
        Assert.Equal(computed.Keys.Order(), stored.Keys.Order());
        foreach (var (key, grid) in computed) AssertClose(stored[key], Put(grid, float64), 1e-9, 1e-7, $"{name}: {key}");
    }

    /// <summary>The same for a list of single numbers, which is kept as text.</summary>
    public static void AssertMade(string name, IEnumerable<(string Name, double Value)> computed)
    {
        var numbers = computed.OrderBy(n => n.Name, StringComparer.Ordinal).ToList();
        if (Environment.GetEnvironmentVariable("SIAMORPH_WRITE_FIXTURES") == "1")
            File.WriteAllText(Path.Combine(Folder, $"{name}.json"),
                JsonSerializer.Serialize(numbers.ToDictionary(n => n.Name, n => n.Value), Indented) + "\n");
        AssertNumbers(name, 1e-12, numbers);
    }

    /// <summary>Fails unless numbers are those of a file, but for a share of each (or of 1, if that is more).</summary>
    public static void AssertNumbers(string name, double tolerance, IEnumerable<(string Name, double Value)> found)
    {
        var text = File.ReadAllText(Path.Combine(Folder, $"{name}.json"));
        var stored = JsonSerializer.Deserialize<Dictionary<string, double>>(text)!;
        var numbers = found.ToDictionary(n => n.Name, n => n.Value);
        Assert.Equal(stored.Keys.Order(StringComparer.Ordinal), numbers.Keys.Order(StringComparer.Ordinal));
        Assert.All(stored, n => Assert.Equal(n.Value, numbers[n.Key], tolerance * Math.Max(1, Math.Abs(n.Value))));
    }

    /// <summary>|a − b| ≤ absolute + relative · (largest of the expected), for every number.</summary>
    public static void AssertClose(Tensor expected, Tensor actual, double absolute, double relative, string what)
    {
        using var scope = NewDisposeScope();
        Assert.Equal(expected.shape, actual.shape);
        var due = expected.to(float64);
        var allowed = absolute + relative * due.abs().max().item<double>();
        var worst = (actual.to(float64) - due).abs().max().item<double>();
        Assert.True(worst <= allowed, $"{what}: differs by {worst:g3}, allowed {allowed:g3}");
    }

    /// <summary>The numbers as a tensor.</summary>
    public static Tensor Put(Grid grid, ScalarType type = ScalarType.Float32) =>
        tensor(grid.Data, [.. grid.Shape.Select(n => (long)n)]).to(type);

    /// <summary>Gives every parameter and buffer of a network the numbers of its name.</summary>
    public static void Fill(nn.Module module)
    {
        using var noGrad = no_grad();
        foreach (var (key, own) in StateDict.Of(module))
        {
            using var scope = NewDisposeScope();
            int[] shape = [.. own.shape.Select(n => (int)n)];
            if (own.is_floating_point()) own.copy_(Put(new(shape, NamedWeights.Of(key, shape))));
        }
    }

    /// <summary>Fails unless a computation asked for just the weights that networks have.</summary>
    public static void AssertShapes(NamedWeights weights, params nn.Module[] networks)
    {
        var own = networks.SelectMany(StateDict.Of).Where(p => p.Value.is_floating_point())
            .ToDictionary(p => p.Key, p => p.Value.shape);
        Assert.Equal(own.Keys.Order(), weights.Asked.Keys.Order());
        Assert.All(weights.Asked, w => Assert.Equal(own[w.Key], w.Value.Shape.Select(n => (long)n)));
    }

    /// <summary>Fails unless gradients are those that were stored as a row for each parameter, in the order of the
    /// keys.</summary>
    public static void AssertGradients(Tensor expected, nn.Module network, double tolerance, string what)
    {
        var parameters = network.named_parameters().OrderBy(p => p.name, StringComparer.Ordinal).ToList();
        Assert.Equal(parameters.Count, expected.shape[0]);
        for (var i = 0; i < parameters.Count; i++)
        {
            var (name, parameter) = parameters[i];
            var due = expected[i].to(float64).data<double>().ToArray();
            var found = Sketch(name, parameter.grad?.to(float64).data<double>().ToArray());
            if (due[0] <= 0 && found[0] <= 0) continue; // a gradient of nothing but zeros is none
            for (var d = 0; d < due.Length; d++)
                Assert.True(Math.Abs(due[d] - found[d]) <= tolerance * due[0] + 1e-6,
                    $"{what}, {name} [{d}]: {found[d]:g8}, due {due[d]:g8} of {due[0]:g3}");
        }
    }

    /// <summary>Gradients of a loss as <see cref="AssertGradients"/> reads them.</summary>
    public static Grid Gradients(NamedWeights weights, Grid loss)
    {
        foreach (var weight in weights.Asked.Values) weight.Gradient = null;
        loss.Backward();
        var parameters = weights.Asked.Where(w => !w.Key.Contains("running_", StringComparison.Ordinal))
            .OrderBy(w => w.Key, StringComparer.Ordinal);
        double[][] rows = [.. parameters.Select(w => Sketch(w.Key, w.Value.Gradient))];
        return new([rows.Length, 2], [.. rows.SelectMany(r => r)]);
    }

    /// <summary>What a gradient is stored as: its length (−1 where none arrives) and its product with a fixed
    /// direction.</summary>
    private static double[] Sketch(string key, double[]? gradient)
    {
        if (gradient is null) return [-1, 0];
        var direction = NamedWeights.Uniform($"{key}, direction", gradient.Length, 1);
        double square = 0, along = 0;
        for (var i = 0; i < direction.Length; i++)
            (square, along) = (square + gradient[i] * gradient[i], along + gradient[i] * direction[i]);
        return [Math.Sqrt(square), along];
    }
}
