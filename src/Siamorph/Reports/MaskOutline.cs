using System.Text;
using Siamorph.Imaging;
using Siamorph.Reports.Charts;

namespace Siamorph.Reports;

/// <summary>Turns the border of a mask into an SVG path in pixel units, so that it stays sharp at every size.</summary>
internal static class MaskOutline
{
    /// <summary>
    /// The border between lesion and background (the image's edge counts as background), through the middles of the
    /// pixel edges, which takes off the corners of the steps. Empty for an empty mask.
    /// </summary>
    public static string Path(LabelMap mask)
    {
        var next = Edges(mask);
        var path = new StringBuilder();
        while (next.Count > 0)
        {
            var start = next.First().Key;
            var (at, first) = (start, true);
            do
            {
                var targets = next[at];
                var to = targets[^1];
                targets.RemoveAt(targets.Count - 1);
                if (targets.Count == 0) next.Remove(at);
                path.Append(first ? 'M' : 'L').Append(SvgDrawing.Number((at.X + to.X) / 2.0)).Append(' ')
                    .Append(SvgDrawing.Number((at.Y + to.Y) / 2.0));
                (at, first) = (to, false);
            }
            while (at != start);
            path.Append('Z');
        }
        return path.ToString();
    }

    // Pixel edges as directed steps between grid points, lesion always on the right hand: so they close to loops.
    private static Dictionary<(int X, int Y), List<(int X, int Y)>> Edges(LabelMap mask)
    {
        var next = new Dictionary<(int X, int Y), List<(int X, int Y)>>();
        for (var y = 0; y < mask.Size.Height; y++)
        {
            for (var x = 0; x < mask.Size.Width; x++)
            {
                if (!Inside(x, y)) continue;
                if (!Inside(x, y - 1)) Add((x, y), (x + 1, y));
                if (!Inside(x + 1, y)) Add((x + 1, y), (x + 1, y + 1));
                if (!Inside(x, y + 1)) Add((x + 1, y + 1), (x, y + 1));
                if (!Inside(x - 1, y)) Add((x, y + 1), (x, y));
            }
        }
        return next;

        bool Inside(int x, int y)
            => x >= 0 && y >= 0 && x < mask.Size.Width && y < mask.Size.Height && mask.Labels[y * mask.Size.Width + x] != 0;

        void Add((int, int) from, (int, int) to)
        {
            if (!next.TryGetValue(from, out var targets)) next[from] = targets = [];
            targets.Add(to);
        }
    }
}
