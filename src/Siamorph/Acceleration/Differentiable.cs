using static TorchSharp.torch;

namespace Siamorph.Acceleration;

/// <summary>
/// A differentiable operation of our own. TorchSharp keeps what such an operation saved, the gradient that reached it and those
/// that it answered with until the whole graph is given up; this one lets go of them in the course of the backward pass, as
/// libtorch's own operations do, so that one backward pass is all a graph is good for.
/// </summary>
/// <typeparam name="T">The operation itself.</typeparam>
internal abstract class Differentiable<T> : autograd.SingleTensorFunction<T> where T : Differentiable<T>, new()
{
    /// <inheritdoc/>
    public sealed override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        Answered.Release();
        List<Tensor> gradients;
        using (no_grad())
        using (NewDisposeScope())
            gradients = [.. Gradients(ctx, grad_output).Select(g => g is null ? null! : g.MoveToOuterDisposeScope())];
        ctx.Dispose();
        grad_output.Dispose();
        Answered.Keep(gradients);
        return gradients;
    }

    /// <summary>The gradients of what <c>apply</c> was given, in its order; null where there is none.</summary>
    /// <param name="ctx">With what <c>forward</c> saved.</param>
    /// <param name="gradient">Of the result; disposed by the caller, so no gradient may be this very tensor.</param>
    /// <returns>Tensors of the current dispose scope.</returns>
    protected abstract IEnumerable<Tensor?> Gradients(autograd.AutogradContext ctx, Tensor gradient);
}

/// <summary>
/// Gradients that a thread has answered libtorch with: by the time that the next operation is asked, libtorch has taken its own
/// hold of them.
/// </summary>
file static class Answered
{
    [ThreadStatic] private static List<Tensor>? t_gradients;

    public static void Keep(List<Tensor> gradients) => (t_gradients ??= []).AddRange(gradients.Where(g => g is not null));

    public static void Release()
    {
        if (t_gradients is null) return;
        foreach (var gradient in t_gradients) gradient.Dispose();
        t_gradients.Clear();
    }
}
