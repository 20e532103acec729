using Siamorph.Imaging;

namespace Siamorph.Evaluation.Radiomics;

// Convex hulls of points (monotone chain), and of pixels taken as diamonds that reach half a pixel.
internal static class ConvexHull
{
    private const double Tolerance = 1e-10;

    public static double Diameter(IReadOnlyCollection<(double Y, double X)> points)
    {
        var hull = Of(points);
        double largest = 0;
        foreach (var p in hull) foreach (var q in hull) largest =
            Math.Max(largest, (p.Y - q.Y) * (p.Y - q.Y) + (p.X - q.X) * (p.X - q.X));
        return Math.Sqrt(largest);
    }

    // Pixels whose centre lies in the hull, its edge included.
    public static PixelGrid Filled(PixelGrid grid)
    {
        var filled = new LabelMap(new(grid.Width, grid.Height));
        var hull = Of([.. Extremes(grid)
            .SelectMany(p => new (double, double)[] { (p.Y - .5, p.X), (p.Y + .5, p.X), (p.Y, p.X - .5), (p.Y, p.X + .5) })]);
        for (var y = grid.Pixels[0].Y; y <= grid.Pixels[^1].Y; y++)
        {
            var (left, right) = Span(hull, y);
            for (var x = (int)Math.Ceiling(left - Tolerance); x <= (int)Math.Floor(right + Tolerance); x++)
                filled.Labels[y * grid.Width + x] = 1;
        }
        return new(filled);
    }

    public static List<(double Y, double X)> Of(IReadOnlyCollection<(double Y, double X)> points)
    {
        List<(double Y, double X)> sorted = [.. points.Distinct().Order()], hull = [];
        if (sorted.Count < 3) return sorted;
        foreach (var pass in new[] { sorted, Enumerable.Reverse(sorted) })
        {
            var floor = hull.Count;
            foreach (var p in pass)
            {
                while (hull.Count >= floor + 2 && Turn(hull[^2], hull[^1], p) <= 0) hull.RemoveAt(hull.Count - 1);
                hull.Add(p);
            }
            hull.RemoveAt(hull.Count - 1);
        }
        return hull;
    }

    // The first and last pixel of each row: no other can be a corner of the hull.
    private static IEnumerable<(int Y, int X)> Extremes(PixelGrid grid) =>
        grid.Pixels.GroupBy(p => p.Y).SelectMany(row => new[] { row.First(), row.Last() });

    private static double Turn((double Y, double X) o, (double Y, double X) a, (double Y, double X) b) =>
        (a.Y - o.Y) * (b.X - o.X) - (a.X - o.X) * (b.Y - o.Y);

    private static (double Left, double Right) Span(List<(double Y, double X)> hull, double y)
    {
        double left = double.MaxValue, right = double.MinValue;
        for (var i = 0; i < hull.Count; i++)
        {
            var (p, q) = (hull[i], hull[(i + 1) % hull.Count]);
            if (y < Math.Min(p.Y, q.Y) || y > Math.Max(p.Y, q.Y)) continue;
            foreach (var x in p.Y == q.Y ? new[] { p.X, q.X } : [p.X + (y - p.Y) / (q.Y - p.Y) * (q.X - p.X)])
                (left, right) = (Math.Min(left, x), Math.Max(right, x));
        }
        return (left, right);
    }
}
