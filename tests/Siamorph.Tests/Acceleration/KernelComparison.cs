using static TorchSharp.torch;

namespace Siamorph.Tests.Acceleration;

/// <summary>Runs an operation and its gradients, and compares with libtorch's in double precision.</summary>
internal static class KernelComparison
{
    /// <summary>Seeded normal numbers.</summary>
    public static Tensor Normal(ulong seed, params long[] shape)
    {
        using var generator = new Seed(seed).Generator();
        return randn(shape, generator: generator);
    }

    /// <summary>Result and gradients for these inputs; the gradient of the result is seeded noise.</summary>
    public static List<Tensor> ResultAndGradients(Func<Tensor[], Tensor> operation, ScalarType type, params Tensor[] inputs)
    {
        var leaves = inputs.Select(t => t.to(type).detach().clone().requires_grad_()).ToArray();
        var y = operation(leaves);
        var gradients = autograd.grad([y], leaves, [Normal(99, y.shape).to(type)]);
        return [y.detach(), .. gradients];
    }

    /// <summary>‖a − b‖ / ‖b‖, kept from dividing by almost nothing.</summary>
    public static double RelativeError(Tensor a, Tensor b) =>
        ((a.to(float64) - b.to(float64)).norm() / (b.to(float64).norm() + 0.01)).item<double>();

    /// <summary>Asserts that result and gradients agree with the reference computed in double.</summary>
    public static void AssertAgrees(
        Func<Tensor[], Tensor> fast, Func<Tensor[], Tensor> reference, double tolerance, params Tensor[] inputs)
    {
        var expected = ResultAndGradients(reference, float64, inputs);
        var actual = ResultAndGradients(fast, float32, inputs);
        for (var i = 0; i < expected.Count; i++)
        {
            Assert.Equal(expected[i].shape, actual[i].shape);
            var error = RelativeError(actual[i], expected[i]);
            Assert.True(error < tolerance, $"{(i == 0 ? "result" : $"gradient {i - 1}")}: relative error {error:E1}");
        }
    }
}
