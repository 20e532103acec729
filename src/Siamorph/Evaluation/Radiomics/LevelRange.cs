using Siamorph.Evaluation.Masks;

namespace Siamorph.Evaluation.Radiomics;

// How levels become values in [0,1]: (level − Low) / Span. Stretched maps fill the range, constant ones stay as they are.
internal readonly record struct LevelRange(int Low, int Span)
{
    public static LevelRange Plain { get; } = new(0, 255);

    public static LevelRange Of(ProbabilityMap map, bool stretch)
    {
        if (!stretch) return Plain;
        int low = 255, high = 0;
        foreach (var level in map.Levels) (low, high) = (Math.Min(low, level), Math.Max(high, level));
        return high > low ? new(low, high - low) : Plain;
    }

    public double Value(int level) => (double)(level - Low) / Span;

    // Is the value at or above threshold j/255? Whole numbers, so that nothing is rounded across it.
    public bool Reaches(int level, int j) => 255 * (level - Low) >= j * Span;
}
