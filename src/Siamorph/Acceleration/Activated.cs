using static TorchSharp.torch;

namespace Siamorph.Acceleration;

/// <summary>
/// SiLU of a tensor, on its way to the operation that reads it. In training that operation keeps what SiLU was taken of, which
/// its own backward pass begins with, and takes SiLU again there: of the two one is kept.
/// </summary>
/// <param name="value">SiLU itself; carries no gradient where there is a <paramref name="before"/>. Null where the operation is
/// to take it while it reads.</param>
/// <param name="before">What SiLU was taken of, which carries the gradient; null where the value carries its own, or
/// none.</param>
internal sealed class Activated(Tensor? value, Tensor? before = null)
{
    private Tensor? _value = value;

    /// <summary>What SiLU was taken of, if known.</summary>
    public Tensor? Before => before;

    /// <summary>SiLU has been taken already.</summary>
    public bool HasValue => _value is not null;

    /// <summary>[B, C, H, W], without a gradient where there is a <see cref="Before"/>.</summary>
    public Tensor Value
    {
        get
        {
            if (_value is not null) return _value;
            using var grad = no_grad();
            return _value = nn.functional.silu(before!);
        }
    }

    /// <summary>The value with its gradient, for operations that read tensors.</summary>
    public Tensor ToTensor() => before is null || (HasValue && !before.requires_grad) ? Value : nn.functional.silu(before);

    /// <summary>Hands both to the outer dispose scope.</summary>
    public Activated MoveToOuterDisposeScope()
    {
        _value?.MoveToOuterDisposeScope();
        before?.MoveToOuterDisposeScope();
        return this;
    }

    /// <summary>Lets go of both; what a graph keeps stays.</summary>
    public void Dispose()
    {
        _value?.Dispose();
        before?.Dispose();
    }
}

/// <summary>Where an operation of our own leaves what it computed beside its result: it carries no gradient.</summary>
internal sealed class Aside
{
    /// <summary>What was left, of the dispose scope around the operation.</summary>
    public Tensor? Value { get; set; }
}
