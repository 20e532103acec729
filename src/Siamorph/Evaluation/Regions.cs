using Siamorph.Imaging;

namespace Siamorph.Evaluation;

/// <summary>The connected parts of a mask: pixels that touch at a side or a corner belong together.</summary>
public static class Regions
{
    /// <summary>Number of parts.</summary>
    public static int Count(LabelMap mask) => Label(mask).Count;

    /// <summary>The part each pixel belongs to.</summary>
    /// <returns>For each pixel 0 outside, else the part's number from 1, row by row; and the number of parts.</returns>
    public static (int[] Parts, int Count) Label(LabelMap mask)
    {
        ArgumentNullException.ThrowIfNull(mask);
        var (width, height) = (mask.Size.Width, mask.Size.Height);
        var parts = new int[mask.Labels.Length];
        var open = new Stack<int>();
        var count = 0;
        for (var start = 0; start < parts.Length; start++)
        {
            if (mask.Labels[start] == 0 || parts[start] != 0) continue;
            parts[start] = ++count;
            open.Push(start);
            while (open.TryPop(out var at))
            {
                var (x, y) = (at % width, at / width);
                for (var v = Math.Max(0, y - 1); v <= Math.Min(height - 1, y + 1); v++)
                    for (var u = Math.Max(0, x - 1); u <= Math.Min(width - 1, x + 1); u++)
                    {
                        var near = v * width + u;
                        if (mask.Labels[near] == 0 || parts[near] != 0) continue;
                        parts[near] = count;
                        open.Push(near);
                    }
            }
        }
        return (parts, count);
    }
}
