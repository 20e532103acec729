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
        while (next.Count > 0) Append(path, Corners(Loop(next)));
        return path.ToString();
    }

    // The middles of the edges of one closed border, doubled to stay whole numbers.
    private static List<(int X, int Y)> Loop(Dictionary<(int X, int Y), List<(int X, int Y)>> next)
    {
        var middles = new List<(int X, int Y)>();
        var start = next.First().Key;
        var at = start;
        do
        {
            var targets = next[at];
            var to = targets[^1];
            targets.RemoveAt(targets.Count - 1);
            if (targets.Count == 0) next.Remove(at);
            middles.Add((at.X + to.X, at.Y + to.Y));
            at = to;
        }
        while (at != start);
        return middles;
    }

    // Points on a straight line between their neighbours say nothing; a border has three times as many as it needs.
    private static List<(int X, int Y)> Corners(List<(int X, int Y)> points)
    {
        (int X, int Y) Step(int i)
        {
            var (from, to) = (points[(i + points.Count) % points.Count], points[(i + 1) % points.Count]);
            return (to.X - from.X, to.Y - from.Y);
        }

        return [.. points.Where((_, i) => Step(i - 1) != Step(i))];
    }

    private static void Append(StringBuilder path, List<(int X, int Y)> points)
    {
        for (var i = 0; i < points.Count; i++)
            path.Append(i == 0 ? 'M' : 'L').Append(SvgDrawing.Number(points[i].X / 2.0)).Append(' ')
                .Append(SvgDrawing.Number(points[i].Y / 2.0));
        path.Append('Z');
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
