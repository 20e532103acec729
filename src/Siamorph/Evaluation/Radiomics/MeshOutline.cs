namespace Siamorph.Evaluation.Radiomics;

// Marching squares through the middles of edges: area, length and vertices of the outline.
internal static class MeshOutline
{
    private static readonly double Diagonal = Math.Sqrt(.5);

    public static (double Surface, double Perimeter, List<(double Y, double X)> Points) Of(PixelGrid grid)
    {
        double surface = 0, perimeter = 0;
        var points = new List<(double, double)>();
        for (var y = -1; y < grid.Height; y++)
            for (var x = -1; x < grid.Width; x++)
            {
                bool a = grid[y, x], b = grid[y, x + 1], c = grid[y + 1, x], d = grid[y + 1, x + 1];
                var corners = (a ? 1 : 0) + (b ? 1 : 0) + (c ? 1 : 0) + (d ? 1 : 0);
                if (corners == 0) continue;
                var opposite = corners == 2 && a == d;
                surface += corners switch { 1 => .125, 2 => opposite ? .25 : .5, 3 => .875, _ => 1 };
                perimeter += corners switch { 1 or 3 => Diagonal, 2 => opposite ? 2 * Diagonal : 1, _ => 0 };
                if (a != b) points.Add((y, x + .5));
                if (a != c) points.Add((y + .5, x));
                if (b != d) points.Add((y + .5, x + 1));
                if (c != d) points.Add((y + 1, x + .5));
            }
        return (surface, perimeter, points);
    }
}
