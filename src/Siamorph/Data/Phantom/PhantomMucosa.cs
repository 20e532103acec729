namespace Siamorph.Data.Phantom;

// The wall of the bowel: how far it is, how it folds, and the vessels under it.
internal sealed class PhantomMucosa
{
    private PhantomMucosa(Field grid) => (Depth, Relief, Vessels) = (grid.Like(), grid.Like(), grid.Like());

    // Distance from the lens, about 0.5 (near) to 4 (the lumen).
    internal Field Depth { get; }

    // Folds and unevenness towards the lens, in units.
    internal Field Relief { get; }

    // 0 none … 1 the middle of a vessel.
    internal Field Vessels { get; }

    internal static PhantomMucosa Of(PhantomScene scene, Field grid)
    {
        var mucosa = new PhantomMucosa(grid);
        var random = scene.Seed.Derive("wall").Random();
        var (warp, fold, uneven, ring) = (New(random), New(random), New(random), New(random));
        var (lobes, phase, offset) = (random.Chance(0.5) ? 3 : 2, (float)random.Uniform(0, 6.28), (float)random.Uniform(0, 10));
        for (var row = 0; row < grid.Height; row++)
            for (var column = 0; column < grid.Width; column++)
            {
                var (x, y, i) = (grid.X(column), grid.Y(row), row * grid.Width + column);
                var (dx, dy) = (x - scene.Lumen.X + 0.22f * warp.At(1.3f * x, 1.3f * y), y - scene.Lumen.Y
                    + 0.22f * warp.At(1.3f * x + 40, 1.3f * y));
                var angle = MathF.Atan2(dy, dx);
                var radius = MathF.Sqrt(dx * dx + dy * dy) * (1 + 0.14f * MathF.Cos(lobes * angle + phase)) + 1e-3f;
                var (height, nearer) = Fold(scene, fold, ring, x, y, radius, angle, offset);
                mucosa.Depth.Values[i] = 0.45f + scene.Bore / (radius * (1 + 0.9f * nearer) + 0.06f);
                var near = MathF.Min(1, radius / 0.5f);
                mucosa.Relief.Values[i] = near * (0.20f * scene.FoldHeight * height
                    + 0.07f * uneven.Octaves(1.3f * x, 1.3f * y, 3));
            }
        PhantomVessels.Draw(mucosa.Vessels, scene.Seed.Derive("vessels").Random());
        return mucosa;
    }

    // A fold is a shelf that stands into the lumen: its edge hides what lies behind it, its face looks at the lens and
    // sinks back into the wall. Folds follow each other evenly along the bowel, so by the logarithm of the radius here.
    private static (float Height, float Nearer) Fold(
        PhantomScene scene, Noise wobble, Noise ring, float x, float y, float radius, float angle, float offset)
    {
        var along = scene.FoldRate * MathF.Log(radius) + offset + 0.6f * wobble.Octaves(1.1f * x, 1.1f * y, 2);
        var number = (int)MathF.Floor(along);
        var s = along - number;
        // A fold reaches around a part of the wall only.
        var centre = 6.2832f * ring.Value(number, 1);
        var reach = 0.25f + 0.75f * ring.Value(number, 2);
        var around = MathF.Abs(MathF.Cos((angle - centre) * 0.5f));
        var strength = PhantomShape.Smooth(1 - reach, 1.25f - 0.6f * reach, around) * (0.5f + 0.5f * ring.Value(number, 3));
        var profile = PhantomShape.Smooth(0, 0.22f, s) * MathF.Pow(1 - s, 1.1f);
        return (strength * profile, strength * profile);
    }

    private static Noise New(SeededRandom random) => new(random.NextBits());
}
