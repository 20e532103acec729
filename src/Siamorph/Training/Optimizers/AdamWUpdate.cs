using Siamorph.Acceleration;
using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Training.Optimizers;

/// <summary>All that AdamW reads and writes for one parameter.</summary>
/// <param name="Parameter">Updated in place.</param>
/// <param name="Gradient">Of its shape.</param>
/// <param name="Mean">Running mean of the gradients, of its shape and type; updated in place.</param>
/// <param name="Square">Running mean of their squares, likewise.</param>
/// <param name="Steps">Number of updates, a float32 scalar; updated in place.</param>
internal sealed record AdamWMoments(Tensor Parameter, Tensor Gradient, Tensor Mean, Tensor Square, Tensor Steps)
{
    // The fused kernel walks raw memory.
    public bool AreLaidOutAlike => Gradient.dtype == Parameter.dtype
        && (Gradient.is_contiguous() && Parameter.is_contiguous() && Mean.is_contiguous()
            || Gradient.stride().SequenceEqual(Parameter.stride()) && Mean.stride().SequenceEqual(Parameter.stride()));
}

/// <summary>The arithmetic of AdamW (arXiv 1711.05101), wherever the moments are kept.</summary>
internal sealed class AdamWUpdate(AdamWOptions options, bool fused)
{
    private readonly bool _fused = fused && Dispatcher.IsAvailable;

    public static void ThrowIfNameTwice(IReadOnlyList<(string Name, Tensor)> parameters)
    {
        var twice = parameters.GroupBy(p => p.Name).FirstOrDefault(g => g.Skip(1).Any());
        if (twice is not null) throw new ArgumentException($"Two parameters are called {twice.Key}.", nameof(parameters));
    }

    /// <summary>One update of each parameter; how they are divided into calls makes no difference.</summary>
    public void Apply(IReadOnlyList<AdamWMoments> all, double learningRate)
    {
        using Scalar one = 1;
        foreach (var moments in all) moments.Steps.add_(one);
        var alike = _fused ? all.Where(m => m.AreLaidOutAlike).ToList() : [];
        if (alike.Count > 0) Fused(alike, learningRate);
        foreach (var moments in alike.Count == 0 ? all : all.Except(alike)) Ordinary(moments, learningRate);
    }

    private void Fused(List<AdamWMoments> all, double learningRate)
    {
        Dispatcher.Call("aten::_fused_adamw_", "",
        [
            Dispatcher.Of([.. all.Select(m => m.Parameter)]),
            Dispatcher.Of([.. all.Select(m => m.Gradient)]),
            Dispatcher.Of([.. all.Select(m => m.Mean)]),
            Dispatcher.Of([.. all.Select(m => m.Square)]),
            Dispatcher.Of(Array.Empty<Tensor>()), // largest squares: for amsgrad only
            Dispatcher.Of([.. all.Select(m => m.Steps)]),
            Dispatcher.Of(learningRate),
            Dispatcher.Of(options.Beta1),
            Dispatcher.Of(options.Beta2),
            Dispatcher.Of(options.WeightDecay),
            Dispatcher.Of(options.Epsilon),
            Dispatcher.Of(false), // amsgrad
            Dispatcher.Of(false), // maximize
            Dispatcher.None,      // gradient scale
            Dispatcher.None,      // found infinite
        ]);
    }

    private void Ordinary(AdamWMoments moments, double learningRate)
    {
        var step = moments.Steps.item<float>();
        var meanCorrection = 1 - Math.Pow(options.Beta1, step);
        var squareCorrection = 1 - Math.Pow(options.Beta2, step);
        moments.Parameter.mul_(1 - learningRate * options.WeightDecay);
        moments.Mean.mul_(options.Beta1).add_(moments.Gradient, alpha: 1 - options.Beta1);
        moments.Square.mul_(options.Beta2).addcmul_(moments.Gradient, moments.Gradient, 1 - options.Beta2);
        var root = moments.Square.sqrt().div_(Math.Sqrt(squareCorrection)).add_(options.Epsilon);
        moments.Parameter.addcdiv_(moments.Mean, root, -learningRate / meanCorrection);
    }
}
