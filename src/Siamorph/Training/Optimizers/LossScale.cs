namespace Siamorph.Training.Optimizers;

/// <summary>
/// What losses are multiplied by, so that small gradients survive in 16 bits (arXiv 1710.03740): halved whenever a gradient
/// overflows, and that step left out; doubled after many that didn't.
/// </summary>
internal sealed class LossScale
{
    private const double Highest = 1 << 16;
    private const int StepsToGrow = 2000;

    /// <summary>Starts at 65,536, or stays at 1 where none is needed.</summary>
    public LossScale(bool needed) => (Moves, Value) = (needed, needed ? Highest : 1);

    /// <summary>The factor now.</summary>
    public double Value { get; private set; }

    /// <summary>Whether it changes at all, and so belongs into checkpoints.</summary>
    public bool Moves { get; }

    /// <summary>Steps since it changed last.</summary>
    public int GoodSteps { get; private set; }

    /// <summary>Goes on with what a checkpoint holds.</summary>
    public void Restore(double value, int goodSteps) => (Value, GoodSteps) = (value, goodSteps);

    /// <summary>Tells whether the step's gradients were finite; moves the factor.</summary>
    /// <returns>Whether the step may be taken.</returns>
    public bool Accept(bool finite)
    {
        if (!Moves) return true;
        if (!finite)
        {
            (Value, GoodSteps) = (Math.Max(1, Value / 2), 0);
            return false;
        }
        if (++GoodSteps < StepsToGrow) return true;
        (Value, GoodSteps) = (Math.Min(Highest, Value * 2), 0);
        return true;
    }
}
