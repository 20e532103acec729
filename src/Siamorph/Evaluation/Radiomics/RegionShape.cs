using Siamorph.Evaluation.Masks;
using Siamorph.Imaging;

namespace Siamorph.Evaluation.Radiomics;

/// <summary>
/// The shape of a mask's foreground as a whole. Outline and area of the mesh follow pyradiomics (marching squares through the
/// middles of edges), moments and pixel perimeter scikit-image.
/// </summary>
internal sealed record RegionShape
{
    /// <summary>Foreground pixels.</summary>
    public required int Area { get; init; }

    /// <summary>Foreground's share of the image, in (0,1].</summary>
    public required double AreaFraction { get; init; }

    /// <summary>Area within the outline of the mesh, in pixels.</summary>
    public required double MeshSurface { get; init; }

    /// <summary>Length of the mesh's outlines, in pixels, holes included.</summary>
    public required double MeshPerimeter { get; init; }

    /// <summary>Largest distance between two points of the outline, in pixels.</summary>
    public required double MaximumDiameter { get; init; }

    /// <summary>
    /// The same of the convex hull's pixels, as scikit-image takes it; half a pixel more where the hull gains a corner.
    /// </summary>
    public required double FeretDiameter { get; init; }

    /// <summary>Diameter of the circle of the same area, in pixels.</summary>
    public double EquivalentDiameter => Math.Sqrt(4 * Area / Math.PI);

    /// <summary>First row and column of the foreground, and those after its last.</summary>
    public required (int Top, int Left, int Bottom, int Right) BoundingBox { get; init; }

    /// <summary>Eigenvalues of the pixels' covariance, larger first, in squared pixels.</summary>
    public required (double Large, double Small) Variances { get; init; }

    /// <summary>2 √(π area) / perimeter of the mesh: 1 is a circle.</summary>
    public double Sphericity => 2 * Math.Sqrt(Math.PI * MeshSurface) / MeshPerimeter;

    /// <summary>4 √ of the larger of <see cref="Variances"/>, in pixels.</summary>
    public double MajorAxis => 4 * Math.Sqrt(Variances.Large);

    /// <summary>4 √ of the smaller one.</summary>
    public double MinorAxis => 4 * Math.Sqrt(Variances.Small);

    /// <summary>Smaller over larger axis, in [0,1].</summary>
    public double Elongation => MajorAxis == 0 ? 1 : MinorAxis / MajorAxis;

    /// <summary>√(1 − (smaller / larger axis)²), in [0,1].</summary>
    public double Eccentricity => MajorAxis == 0 ? 0 : Math.Sqrt(Math.Max(0, 1 - Elongation * Elongation));

    /// <summary>Angle of the larger axis from the direction of rows' growth, in (−π/2, π/2].</summary>
    public required double Orientation { get; init; }

    /// <summary>Pixels of the convex hull.</summary>
    public required int ConvexArea { get; init; }

    /// <summary>Area over that of the convex hull, in (0,1].</summary>
    public double Solidity => (double)Area / ConvexArea;

    /// <summary>Area over that of the bounding box, in (0,1].</summary>
    public double Extent => Area / ((BoundingBox.Bottom - BoundingBox.Top) * (double)(BoundingBox.Right - BoundingBox.Left));

    /// <summary>
    /// Length of the outline over border pixels, steps weighted by their neighbours (Benkrid and Crookes 2000).
    /// </summary>
    public required double Perimeter { get; init; }

    /// <summary>Length of the outline from crossings in four directions (Crofton).</summary>
    public required double CroftonPerimeter { get; init; }

    /// <summary>4π area / perimeter²: 1 is a circle.</summary>
    public double Compactness => 4 * Math.PI * Area / (Perimeter * Perimeter);

    /// <summary>Mean row and column.</summary>
    public required (double Row, double Column) Centroid { get; init; }

    /// <summary>Regions of touching pixels minus holes.</summary>
    public required int EulerNumber { get; init; }

    /// <summary>Hu's seven moment invariants.</summary>
    public required IReadOnlyList<double> HuMoments { get; init; }

    /// <summary>Measures the foreground; null where there is none.</summary>
    public static RegionShape? Of(LabelMap mask)
    {
        ArgumentNullException.ThrowIfNull(mask);
        var grid = new PixelGrid(mask);
        if (grid.Pixels.Count == 0) return null;
        var (moments, (surface, perimeter, points)) = (new CentralMoments(grid.Pixels), MeshOutline.Of(grid));
        var hull = ConvexHull.Filled(grid);
        var (large, small) = moments.Eigenvalues();
        return new()
        {
            Area = grid.Pixels.Count,
            AreaFraction = (double)grid.Pixels.Count / mask.Labels.Length,
            MeshSurface = surface,
            MeshPerimeter = perimeter,
            MaximumDiameter = ConvexHull.Diameter(points),
            FeretDiameter = ConvexHull.Diameter(MeshOutline.Of(hull).Points),
            BoundingBox = (grid.Pixels[0].Y, grid.Pixels.Min(p => p.X), grid.Pixels[^1].Y + 1, grid.Pixels.Max(p => p.X) + 1),
            Variances = (large, Math.Max(0, small)),
            Orientation = moments.Orientation(),
            ConvexArea = hull.Pixels.Count,
            Perimeter = BorderLength.Of(grid),
            CroftonPerimeter = BorderLength.Crofton(grid),
            Centroid = (moments.Row, moments.Column),
            EulerNumber = ConnectedComponents.Of(mask).Count - Holes(mask),
            HuMoments = moments.Hu(),
        };
    }

    // Background regions, joined by sides, that don't reach the image's edge.
    private static int Holes(LabelMap mask)
    {
        var (width, height) = (mask.Size.Width, mask.Size.Height);
        var seen = new bool[mask.Labels.Length];
        var (holes, open) = (0, new Stack<int>());
        for (var start = 0; start < seen.Length; start++)
        {
            if (mask.Labels[start] != 0 || seen[start]) continue;
            var enclosed = true;
            void Visit(int at)
            {
                if (mask.Labels[at] != 0 || seen[at]) return;
                seen[at] = true;
                open.Push(at);
            }
            Visit(start);
            while (open.TryPop(out var at))
            {
                var (y, x) = Math.DivRem(at, width);
                enclosed &= x > 0 && y > 0 && x < width - 1 && y < height - 1;
                if (x > 0) Visit(at - 1);
                if (x < width - 1) Visit(at + 1);
                if (y > 0) Visit(at - width);
                if (y < height - 1) Visit(at + width);
            }
            if (enclosed) holes++;
        }
        return holes;
    }
}

// A mask that is background beyond its edges, and its foreground in reading order.
internal sealed class PixelGrid
{
    private readonly LabelMap _mask;

    public PixelGrid(LabelMap mask)
    {
        _mask = mask;
        for (int y = 0, i = 0; y < Height; y++) for (var x = 0; x < Width; x++, i++) if (mask.Labels[i] != 0) Pixels.Add((y, x));
    }

    public int Width => _mask.Size.Width;
    public int Height => _mask.Size.Height;
    public List<(int Y, int X)> Pixels { get; } = [];
    public bool this[int y, int x] => y >= 0 && x >= 0 && y < Height && x < Width && _mask.Labels[y * Width + x] != 0;
}
