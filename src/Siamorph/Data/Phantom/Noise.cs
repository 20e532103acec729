namespace Siamorph.Data.Phantom;

// Smooth random functions of the plane, each a function of its seed alone.
internal readonly struct Noise(Seed seed)
{
    private static readonly (float X, float Y)[] Directions =
        [.. Enumerable.Range(0, 64).Select(i => ((float)Math.Cos(i * Math.PI / 32), (float)Math.Sin(i * Math.PI / 32)))];

    private readonly uint _seed = (uint)(seed.Value ^ (seed.Value >> 32));

    // Gradient noise (Perlin 2002), about -0.7…0.7, one feature a unit.
    internal float At(float x, float y)
    {
        var (left, top) = ((int)MathF.Floor(x), (int)MathF.Floor(y));
        var (fx, fy) = (x - left, y - top);
        var (sx, sy) = (Ease(fx), Ease(fy));
        var upper = Lerp(Corner(left, top, fx, fy), Corner(left + 1, top, fx - 1, fy), sx);
        var lower = Lerp(Corner(left, top + 1, fx, fy - 1), Corner(left + 1, top + 1, fx - 1, fy - 1), sx);
        return Lerp(upper, lower, sy);
    }

    // Octaves of it, each twice as fine and half as strong.
    internal float Octaves(float x, float y, int count)
    {
        var (sum, weight) = (0f, 1f);
        for (var i = 0; i < count; i++, weight *= 0.5f)
        {
            sum += weight * At(x, y);
            (x, y) = (2.03f * x + 17.3f, 2.03f * y - 9.1f);
        }
        return sum;
    }

    // Distance to the nearest of points scattered one a unit cell (Worley 1996), about 0…1.
    internal float Cells(float x, float y)
    {
        var (left, top) = ((int)MathF.Floor(x), (int)MathF.Floor(y));
        var nearest = 4f;
        for (var j = top - 1; j <= top + 1; j++)
            for (var i = left - 1; i <= left + 1; i++)
            {
                var hash = Hash(i, j);
                var (dx, dy) = (i + (hash & 0xFFFF) / 65536f - x, j + (hash >> 16) / 65536f - y);
                nearest = Math.Min(nearest, dx * dx + dy * dy);
            }
        return MathF.Sqrt(nearest);
    }

    // A number for a whole-numbered place, 0…1.
    internal float Value(int x, int y) => Hash(x, y) / 4294967296f;

    private float Corner(int x, int y, float dx, float dy)
    {
        var (gx, gy) = Directions[Hash(x, y) >> 26];
        return gx * dx + gy * dy;
    }

    private uint Hash(int x, int y)
    {
        var h = _seed ^ ((uint)x * 0x85EBCA6Bu) ^ ((uint)y * 0xC2B2AE35u);
        h = (h ^ (h >> 15)) * 0x2C1B3C6Du;
        h = (h ^ (h >> 12)) * 0x297A2D39u;
        return h ^ (h >> 15);
    }

    private static float Ease(float t) => t * t * t * (t * (t * 6 - 15) + 10);

    private static float Lerp(float a, float b, float t) => a + (b - a) * t;
}
