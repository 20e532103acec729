using Siamorph.Weights;

namespace Siamorph.Training.Optimizers;

/// <summary>Updates parameters from their gradients.</summary>
internal interface IOptimizer : IDisposable
{
    /// <summary>Forgets all gradients.</summary>
    void ZeroGrad();

    /// <summary>One update. Parameters without a gradient stay as they are.</summary>
    /// <param name="learningRate">0 or more.</param>
    void Step(double learningRate);

    /// <summary>What has to be saved to go on bit for bit, by parameter name. Not copies.</summary>
    WeightTable State();

    /// <summary>Copies a saved state into this optimizer.</summary>
    /// <exception cref="WeightsMismatchException">A tensor is missing or has another shape.</exception>
    void Load(WeightTable state);
}
