namespace Siamorph.Data.Phantom;

// The lesions of a scene on a grid: which pixels they cover, and how they rise over the wall.
internal sealed class PhantomShape
{
    private const int CoarseSide = 56;

    private PhantomShape(Field grid, int lesions)
    {
        (Mask, Height, Owner) = (grid.Like(), grid.Like(), new int[grid.Values.Length]);
        Local = new (float X, float Y, float Scale)[lesions];
    }

    // 1 inside a lesion and the lit frame, else 0.
    internal Field Mask { get; }

    // Over the wall, in units.
    internal Field Height { get; }

    // Which lesion a pixel of the mask belongs to.
    internal int[] Owner { get; }

    // Centre and unit radius of each lesion, in units of the image.
    internal (float X, float Y, float Scale)[] Local { get; }

    internal static PhantomShape Of(PhantomScene scene, Field grid)
    {
        var shape = new PhantomShape(grid, scene.Lesions.Count);
        for (var n = 0; n < scene.Lesions.Count; n++)
        {
            var lesion = scene.Lesions[n];
            shape.Local[n] = (lesion.Place.X * Half(grid).X, lesion.Place.Y * Half(grid).Y, Fit(scene, lesion, grid));
            shape.Raise(scene, n);
        }
        return shape;
    }

    private void Raise(PhantomScene scene, int n)
    {
        var (lesion, (cx, cy, scale)) = (scene.Lesions[n], Local[n]);
        var own = Field.Make(Mask, (x, y) => Covers(scene, lesion, Mask, x, y, cx, cy, scale) ? 1 : 0);
        var depth = DistanceField.Inside(own);
        var deepest = MathF.Min(1, depth.Values.Max());
        if (deepest <= 0) return;
        var flat = lesion.Kind == PhantomLesionKind.Flat;
        for (var i = 0; i < own.Values.Length; i++)
        {
            if (own.Values[i] == 0) continue;
            var t = MathF.Min(1, depth.Values[i] / deepest);
            var (x, y) = (Mask.X(i % Mask.Width), Mask.Y(i / Mask.Width));
            var arch = 1 - (1 - t) * (1 - t);
            var dome = flat ? Smooth(0, 0.35f, t) : 0.5f * (arch + MathF.Sqrt(arch));
            var profile = flat ? dome : 0.55f * dome + 0.45f * lesion.Bulge((x - cx) / scale, (y - cy) / scale);
            depth.Values[i] = lesion.Relief * deepest * profile;
        }
        // The foot runs softly into the wall, and ridges of the distance are rounded.
        var rounded = depth.Blurred(MathF.Max(0.045f * deepest, 0.6f * Mask.Pixel));
        for (var i = 0; i < own.Values.Length; i++)
        {
            Height.Values[i] = MathF.Max(Height.Values[i], rounded.Values[i]);
            if (own.Values[i] > 0 && Mask.Values[i] == 0) (Mask.Values[i], Owner[i]) = (1, n);
        }
    }

    // The scale at which the visible part has the wanted share of the image, found on a coarse grid.
    private static float Fit(PhantomScene scene, PhantomLesion lesion, Field grid)
    {
        var aspect = (float)grid.Width / grid.Height;
        var coarse = new Field(Math.Max(8, (int)(CoarseSide * MathF.Sqrt(aspect))),
            Math.Max(8, (int)(CoarseSide / MathF.Sqrt(aspect))));
        var (half, scale) = (Half(coarse), (float)Math.Sqrt(lesion.AreaFraction) * 1.13f);
        for (var round = 0; round < 4; round++)
        {
            var covered = 0;
            for (var y = 0; y < coarse.Height; y++)
                for (var x = 0; x < coarse.Width; x++)
                    if (Covers(scene, lesion, coarse, coarse.X(x), coarse.Y(y), lesion.Place.X * half.X, lesion.Place.Y * half.Y,
                        scale)) covered++;
            var share = Math.Max(covered, 1) / (double)coarse.Values.Length;
            scale *= (float)Math.Clamp(Math.Sqrt(lesion.AreaFraction / share), 0.6, 1.6);
        }
        return scale;
    }

    private static bool Covers(PhantomScene scene, PhantomLesion lesion, Field grid, float x, float y, float cx, float cy,
        float scale)
    {
        var (dx, dy, reach, half) = (x - cx, y - cy, lesion.Reach * scale, Half(grid));
        if (dx * dx + dy * dy > reach * reach) return false;
        return scene.Device.Inside(x, y, half.X, half.Y) > 0 && lesion.Outline(dx / scale, dy / scale) < 0;
    }

    internal static (float X, float Y) Half(Field grid) => (0.5f * grid.Width * grid.Pixel, 0.5f * grid.Height * grid.Pixel);

    internal static float Smooth(float from, float to, float value)
    {
        var t = Math.Clamp((value - from) / (to - from), 0, 1);
        return t * t * (3 - 2 * t);
    }
}
