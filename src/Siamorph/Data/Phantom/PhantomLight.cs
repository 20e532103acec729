namespace Siamorph.Data.Phantom;

// Light that reaches the lens, red, green and blue, about 0…1 and more in highlights.
internal static class PhantomLight
{
    internal static Field[] Of(PhantomScene scene, PhantomMucosa mucosa, PhantomShape shape)
    {
        var grid = shape.Mask;
        var random = scene.Seed.Derive("surface").Random();
        var (mottle, micro, grooves, speck) = (New(random), New(random), New(random), New(random));
        var soft = shape.Mask.Blurred(0.02f);
        var pits = grid.Like();
        for (var i = 0; i < pits.Values.Length; i++)
            if (grid.Values[i] > 0) pits.Values[i] =
                Pits(scene, shape, grooves, grid.X(i % grid.Width), grid.Y(i / grid.Width), i);
        Hide(mucosa.Depth, soft);
        var height = Surface(mucosa, shape, pits, soft);
        var hollow = Hollows(height);
        var shadow = Shadows(height, scene.Lamp);
        var (diffuse, gloss) = Lit(scene, mucosa, height, hollow, shadow, micro);
        var bled = diffuse.Blurred(0.035f); // red light wanders in the tissue before it comes out
        Field[] light = [grid.Like(), grid.Like(), grid.Like()];
        for (var row = 0; row < grid.Height; row++)
            for (var column = 0; column < grid.Width; column++)
            {
                var i = row * grid.Width + column;
                var (x, y) = (grid.X(column), grid.Y(row));
                var (red, green, blue) = Reflectance(scene, shape, soft, mottle, pits.Values[i], speck, x, y, i);
                var vein = mucosa.Vessels.Values[i] * scene.Vessels * (1 - 0.9f * soft.Values[i]);
                var direct = diffuse.Values[i];
                light[0].Values[i] = red * (1 - 0.16f * vein) * (0.45f * direct + 0.55f * bled.Values[i]) + gloss.Values[i];
                light[1].Values[i] = green * (1 - 0.52f * vein) * (0.8f * direct + 0.2f * bled.Values[i]) + gloss.Values[i];
                light[2].Values[i] = blue * (1 - 0.42f * vein) * (0.9f * direct + 0.1f * bled.Values[i])
                    + 0.97f * gloss.Values[i];
            }
        return light;
    }

    // A lesion is as near as the wall around it, hides its folds, and does not sink into the lumen.
    private static void Hide(Field depth, Field soft)
    {
        const float farthest = 1f;
        var around = depth.Blurred(0.12f);
        for (var i = 0; i < depth.Values.Length; i++)
            depth.Values[i] += soft.Values[i] * (MathF.Min(around.Values[i], farthest) - depth.Values[i]);
    }

    private static Field Surface(PhantomMucosa mucosa, PhantomShape shape, Field pits, Field soft)
    {
        var height = mucosa.Relief.Copy();
        for (var i = 0; i < height.Values.Length; i++)
        {
            // What grows over a fold hides it.
            height.Values[i] = height.Values[i] * (1 - 0.92f * soft.Values[i]) + shape.Height.Values[i];
            height.Values[i] += pits.Values[i] * 0.03f * shape.Local[shape.Owner[i]].Scale;
        }
        return height;
    }

    // Surface pattern of a lesion, about -0.5…0.5, of a size that goes with the lesion.
    private static float Pits(PhantomScene scene, PhantomShape shape, Noise grooves, float x, float y, int i)
    {
        var (lesion, local) = (scene.Lesions[shape.Owner[i]], shape.Local[shape.Owner[i]]);
        var (u, v) = ((x - local.X) / local.Scale, (y - local.Y) / local.Scale);
        var fade = MathF.Min(1, local.Scale / (10 * shape.Mask.Pixel)); // no finer than the grid can carry
        var pattern = lesion.Cellular
            ? grooves.Cells(6.5f * u, 6.5f * v) - 0.45f
            : 0.5f * MathF.Sin(11 * u + 5 * grooves.At(2.2f * u, 2.2f * v)
            + 4 * grooves.At(2.2f * u + 9, 2.2f * v) * v) * MathF.Cos(3 * v + 4 * grooves.At(3 * u, 3 * v + 5));
        return fade * lesion.Texture * pattern;
    }

    // How much lower a place lies than its neighbourhood: creases get less light.
    private static Field Hollows(Field height)
    {
        var (near, wide) = (height.Blurred(0.05f), height.Blurred(0.16f));
        for (var i = 0; i < near.Values.Length; i++)
            near.Values[i] = 4.5f * (near.Values[i] - height.Values[i]) + 2.5f * (wide.Values[i] - height.Values[i]);
        return near;
    }

    // Share of the lamp that is hidden by what stands between, 0…1.
    private static Field Shadows(Field height, (float X, float Y) lamp)
    {
        const int steps = 8;
        const float reach = 0.34f;
        var shadow = height.Like();
        for (var row = 0; row < height.Height; row++)
            for (var column = 0; column < height.Width; column++)
            {
                var i = row * height.Width + column;
                var (dx, dy) = (lamp.X - height.X(column), lamp.Y - height.Y(row));
                var length = MathF.Sqrt(dx * dx + dy * dy + 0.05f);
                var rise = 1.1f / length; // how steeply the light comes down, per unit of the plane
                var highest = 0f;
                for (var s = 1; s <= steps; s++)
                {
                    var way = reach * s * s / (steps * steps);
                    var (cx, cy) = (column + (int)(way * dx / length / height.Pixel), row
                        + (int)(way * dy / length / height.Pixel));
                    highest =
                        MathF.Max(highest, (height.Clamped(cx, cy) - height.Values[i] - rise * way) / (0.02f + 0.25f * way));
                }
                shadow.Values[i] = MathF.Min(1, highest);
            }
        return shadow.Blurred(0.012f);
    }

    private static (Field Diffuse, Field Gloss) Lit(
        PhantomScene scene, PhantomMucosa mucosa, Field height, Field hollow, Field shadow, Noise micro)
    {
        var (diffuse, gloss) = (height.Like(), height.Like());
        for (var row = 0; row < height.Height; row++)
            for (var column = 0; column < height.Width; column++)
            {
                var i = row * height.Width + column;
                var (x, y) = (height.X(column), height.Y(row));
                var depth = mucosa.Depth.Values[i];
                float Up(int dx, int dy) => height.Clamped(column + dx, row + dy) - 0.35f * mucosa.Depth.Clamped(column
                    + dx, row + dy);
                var (sx, sy) = ((Up(1, 0) - Up(-1, 0)) / (2 * height.Pixel), (Up(0, 1) - Up(0, -1)) / (2 * height.Pixel));
                var (lx, ly, lz) = Unit(scene.Lamp.X - x, scene.Lamp.Y - y, 1.1f);
                var (nx, ny, nz) = Unit(-sx, -sy, 1);
                var facing = MathF.Max(0, (nx * lx + ny * ly + nz * lz + 0.25f) / 1.25f);
                var far = depth / 0.85f;
                var beam = 1.25f / (1 + far * far * far * 0.55f) * (1 - 0.18f * (x * x + y * y));
                var open = 1 / (1 + MathF.Exp(2.2f * hollow.Values[i])) * 2;
                diffuse.Values[i] = beam * (0.1f + 0.9f * facing * (1 - 0.6f * shadow.Values[i])) * MathF.Min(1.25f, open);
                // A wet film: its own ripples break the lamp's image into patches.
                var (rx, ry) = (0.10f * micro.At(19 * x, 13 * y) + 0.15f * micro.At(6 * x, 6 * y),
                    0.10f * micro.At(19 * x + 50, 13 * y) + 0.15f * micro.At(6 * x, 6 * y + 50));
                var (wx, wy, wz) = Unit(-sx + rx, -sy + ry, 1);
                var (vx, vy, vz) = Unit(-0.75f * x, -0.75f * y, 1.1f);
                var (hx, hy, hz) = Unit(lx + vx, ly + vy, lz + vz);
                var mirror = MathF.Max(0, wx * hx + wy * hy + wz * hz);
                gloss.Values[i] = beam * (1 - shadow.Values[i]) * scene.Wetness
                    * (1.5f * PhantomShape.Smooth(0.9935f, 0.9995f, mirror) + 0.10f * MathF.Pow(mirror, 24));
            }
        return (diffuse, gloss);
    }

    private static (float Red, float Green, float Blue) Reflectance(
        PhantomScene scene, PhantomShape shape, Field soft, Noise mottle, float pattern, Noise speck, float x, float y, int i)
    {
        var blush = 0.5f * mottle.Octaves(1.6f * x, 1.6f * y, 3);
        var grain = 0.05f * speck.At(16 * x, 16 * y);
        var (red, green, blue) = scene.Mucosa;
        (red, green, blue) = (red * (1 + 0.06f * blush), green * (1 + 0.30f * blush + grain), blue * (1 + 0.28f * blush + grain));
        if (soft.Values[i] > 0.01f)
        {
            var n = shape.Mask.Values[i] > 0 ? shape.Owner[i] : 0;
            var lesion = scene.Lesions[n];
            var share = soft.Values[i] * lesion.Contrast;
            red *= 1 + share * (lesion.Tint.Red - 1 + 0.10f * pattern);
            green *= 1 + share * (lesion.Tint.Green - 1 + 0.30f * pattern);
            blue *= 1 + share * (lesion.Tint.Blue - 1 + 0.28f * pattern);
        }
        if (scene.Residue > 0)
        {
            var film = scene.Residue * 0.6f * PhantomShape.Smooth(0.25f, 0.65f, mottle.Octaves(2.2f * x + 70, 2.2f * y, 4)
                + 0.2f * y);
            (red, green, blue) = (red + film * (0.92f - red), green + film * (0.62f - green), blue + film * (0.16f - blue));
        }
        return (red, green, blue);
    }

    private static (float X, float Y, float Z) Unit(float x, float y, float z)
    {
        var length = 1 / MathF.Sqrt(x * x + y * y + z * z);
        return (x * length, y * length, z * length);
    }

    private static Noise New(SeededRandom random) => new(random.NextBits());
}
