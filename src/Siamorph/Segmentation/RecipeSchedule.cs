using Siamorph.Training.Optimizers;

namespace Siamorph.Segmentation;

/// <summary>The learning rate of each step of a recipe.</summary>
internal sealed class RecipeSchedule(SegmentationOptions options)
{
    private const int Patience = 5;
    private readonly LearningRateSchedule _curve = new()
    {
        Peak = options.LearningRate,
        WarmupSteps = Math.Min(options.WarmupSteps, options.Steps / 10),
        Shape = options.Schedule switch
        {
            SegmentationSchedule.Cosine => LearningRateShape.Cosine,
            SegmentationSchedule.Linear => LearningRateShape.LinearDecay,
            _ => LearningRateShape.Constant,
        },
        FlatFraction = 0,
        FinalFraction = 0,
    };

    public double At(int step, IReadOnlyList<ValidationPoint> history) => _curve.At(step, options.Steps) * options.Schedule switch
    {
        SegmentationSchedule.Halving => step >= 0.75 * options.Steps ? 0.25 : step >= 0.5 * options.Steps ? 0.5 : 1,
        SegmentationSchedule.Plateau => Math.Pow(0.1, Plateaus(history)),
        _ => 1,
    };

    // How often more than `Patience` looks in a row were no better than the best before them.
    private static int Plateaus(IReadOnlyList<ValidationPoint> history)
    {
        var (best, waiting, plateaus) = (double.NegativeInfinity, 0, 0);
        foreach (var point in history)
        {
            if (point.Dice > best * 1.0001) (best, waiting) = (point.Dice, 0);
            else if (++waiting > Patience) (plateaus, waiting) = (plateaus + 1, 0);
        }
        return plateaus;
    }
}
