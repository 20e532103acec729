namespace Siamorph.Training.Optimizers;

/// <summary>How the learning rate falls after its flat part.</summary>
internal enum LearningRateShape
{
    /// <summary>It does not.</summary>
    Constant,

    /// <summary>Along a straight line.</summary>
    LinearDecay,

    /// <summary>Along half a cosine wave.</summary>
    Cosine,
}

/// <summary>The learning rate of every step: a linear warm-up, a flat part, a decay.</summary>
internal sealed record LearningRateSchedule
{
    /// <summary>The highest learning rate.</summary>
    public double Peak { get; init; } = 1e-3;

    /// <summary>Steps until it is reached; 0 starts there.</summary>
    public int WarmupSteps { get; init; }

    /// <summary>Part of all steps, warm-up included, after which it falls, in [0, 1].</summary>
    public double FlatFraction { get; init; } = 0.5;

    /// <summary>Part of the peak that is left after the last step, in [0, 1].</summary>
    public double FinalFraction { get; init; } = 0.1;

    /// <summary>How it falls.</summary>
    public LearningRateShape Shape { get; init; } = LearningRateShape.LinearDecay;

    /// <summary>The learning rate of a step.</summary>
    /// <param name="step">Counted from 0.</param>
    /// <param name="totalSteps">How many there will be; 1 or more.</param>
    public double At(long step, long totalSteps)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfLessThan(totalSteps, 1);
        if (step < WarmupSteps) return Peak * (step + 1) / WarmupSteps;
        var start = Math.Max(FlatFraction * totalSteps, WarmupSteps);
        if (Shape == LearningRateShape.Constant || step <= start) return Peak;
        var fallen = Math.Min(1, (step - start) / (totalSteps - start));
        if (Shape == LearningRateShape.Cosine) fallen = (1 - Math.Cos(Math.PI * fallen)) / 2;
        return Peak * (1 - (1 - FinalFraction) * fallen);
    }

    /// <summary>Every fault of these numbers; none when they can be used.</summary>
    public IEnumerable<string> Faults()
    {
        if (!(Peak >= 0 && double.IsFinite(Peak))) yield return $"learning rate: peak {Peak} must be 0 or more.";
        if (WarmupSteps < 0) yield return $"learning rate: warmupSteps {WarmupSteps} must be 0 or more.";
        if (!(FlatFraction is >= 0 and <= 1)) yield return $"learning rate: flatFraction {FlatFraction}; it must be in [0, 1].";
        if (!(FinalFraction is >= 0 and <= 1))
            yield return $"learning rate: finalFraction {FinalFraction}; it must be in [0, 1].";
    }
}
