using Siamorph.Imaging;

namespace Siamorph.Evaluation.Masks;

/// <summary>The separate regions of a mask; pixels that touch at a side or a corner belong together.</summary>
/// <param name="Labels">y · width + x: 0 background, else the region's number, 1 … <see cref="Count"/>, in reading order.</param>
/// <param name="Areas">Pixels of each region; entry 0 is region 1.</param>
internal sealed record ConnectedComponents(int[] Labels, IReadOnlyList<int> Areas)
{
    /// <summary>Number of regions.</summary>
    public int Count => Areas.Count;

    /// <summary>Finds the regions of every pixel that is not background.</summary>
    public static ConnectedComponents Of(LabelMap mask)
    {
        ArgumentNullException.ThrowIfNull(mask);
        var (width, height) = (mask.Size.Width, mask.Size.Height);
        var labels = new int[mask.Labels.Length];
        var areas = new List<int>();
        var open = new Stack<int>();
        for (var start = 0; start < labels.Length; start++)
        {
            if (mask.Labels[start] == 0 || labels[start] != 0) continue;
            var (number, area) = (areas.Count + 1, 0);
            labels[start] = number;
            open.Push(start);
            while (open.TryPop(out var at))
            {
                area++;
                var (y, x) = Math.DivRem(at, width);
                for (var ny = Math.Max(0, y - 1); ny <= Math.Min(height - 1, y + 1); ny++)
                    for (var nx = Math.Max(0, x - 1); nx <= Math.Min(width - 1, x + 1); nx++)
                    {
                        var next = ny * width + nx;
                        if (mask.Labels[next] == 0 || labels[next] != 0) continue;
                        labels[next] = number;
                        open.Push(next);
                    }
            }
            areas.Add(area);
        }
        return new(labels, areas);
    }
}
