using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Siamorph.Models;

/// <summary>
/// A low-rank addition to a linear layer (LoRA, arXiv 2106.09685): y + (α / rank)·up(down(x)). Up begins at zero, so it changes
/// nothing until it is trained. Not a module: the layer's checkpoint keys stay the authors' own.
/// </summary>
internal sealed class LowRank : IDisposable
{
    /// <summary>Draws the first values.</summary>
    /// <param name="layer">The layer it adds to.</param>
    /// <param name="rank">Inner width; above 0.</param>
    /// <param name="alpha">Strength.</param>
    /// <param name="seed">Of the values.</param>
    public LowRank(Linear layer, int rank, double alpha, Seed seed)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentOutOfRangeException.ThrowIfLessThan(rank, 1);
        using var scope = NewDisposeScope();
        using var generator = seed.Generator();
        var inputs = layer.weight!.shape[1];
        var bound = 1 / Math.Sqrt(inputs);
        var down = rand([rank, inputs], generator: generator) * (2 * bound) - bound;
        Down = Kept(down.to(layer.weight.dtype, layer.weight.device));
        Up = Kept(zeros([layer.weight.shape[0], rank], layer.weight.dtype, layer.weight.device));
        (Rank, Alpha) = (rank, alpha);
    }

    /// <summary>[rank, inputs].</summary>
    public Parameter Down { get; private set; }

    /// <summary>[outputs, rank].</summary>
    public Parameter Up { get; private set; }

    /// <summary>Inner width.</summary>
    public int Rank { get; }

    /// <summary>Strength; the addition is divided by the rank and multiplied by this.</summary>
    public double Alpha { get; }

    /// <summary>What is added to the layer's answer.</summary>
    /// <param name="x">[…, inputs].</param>
    /// <returns>[…, outputs].</returns>
    public Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return (functional.linear(functional.linear(x, Down), Up) * (float)(Alpha / Rank)).MoveToOuterDisposeScope();
    }

    /// <summary>Moves the values; the tensors are replaced.</summary>
    internal void MoveTo(Device device, ScalarType type)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var (down, up) = (Kept(Down.detach().to(type, device)), Kept(Up.detach().to(type, device)));
        Dispose();
        (Down, Up) = (down, up);
    }

    // A parameter that outlives every dispose scope.
    private static Parameter Kept(Tensor values)
    {
        var parameter = Parameter(values);
        parameter.DetachFromDisposeScope();
        return parameter;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Down.Dispose();
        Up.Dispose();
    }
}
