using static TorchSharp.torch;

namespace Siamorph.Training.Optimizers;

/// <summary>Keeps one bad batch from throwing the weights far.</summary>
internal static class GradientClip
{
    /// <summary>
    /// Scales all gradients by one factor, so that their joint Euclidean norm is at most <paramref name="maxNorm"/>.
    /// </summary>
    /// <param name="parameters">Those without a gradient are passed over.</param>
    /// <param name="maxNorm">Above 0; infinity only measures.</param>
    /// <returns>The norm before; where it is not finite the gradients are left alone.</returns>
    public static double ClipNorm(IEnumerable<Tensor> parameters, double maxNorm)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxNorm);
        using var noted = StepProfile.Of("gradient clipping");
        using var grad = no_grad();
        using var scope = NewDisposeScope();
        var gradients = parameters.Select(p => p.grad).OfType<Tensor>().ToList();
        if (gradients.Count == 0) return 0;
        var norms = gradients.Select(g => linalg.vector_norm(g)).ToArray();
        var norm = linalg.vector_norm(stack(norms)).to_type(ScalarType.Float32).item<float>();
        if (!double.IsFinite(norm) || norm <= maxNorm) return norm;
        foreach (var gradient in gradients) gradient.mul_(maxNorm / (norm + 1e-6));
        return norm;
    }

    /// <summary>Cuts every single value of every gradient to within ±<paramref name="maxValue"/>.</summary>
    /// <param name="parameters">Those without a gradient are passed over.</param>
    /// <param name="maxValue">Above 0.</param>
    public static void ClipValue(IEnumerable<Tensor> parameters, double maxValue)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxValue);
        using var grad = no_grad();
        using var scope = NewDisposeScope();
        foreach (var gradient in parameters.Select(p => p.grad).OfType<Tensor>()) gradient.clamp_(-maxValue, maxValue);
    }
}
