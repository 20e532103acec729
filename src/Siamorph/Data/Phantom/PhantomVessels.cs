namespace Siamorph.Data.Phantom;

// Branching vessels as lines that wander and thin out.
internal static class PhantomVessels
{
    private const float Step = 0.035f;

    internal static void Draw(Field field, SeededRandom random)
    {
        var trees = 3 + random.Next(4);
        for (var i = 0; i < trees; i++)
        {
            var (x, y) = ((float)random.Uniform(-1.1, 1.1), (float)random.Uniform(-1.1, 1.1));
            Grow(field, random, x, y, (float)random.Uniform(0, 6.28), (float)random.Uniform(0.010, 0.020), 36, 0);
        }
    }

    private static void Grow(Field field, SeededRandom random, float x, float y, float direction, float thickness,
        int steps, int order)
    {
        for (var s = 0; s < steps && thickness > 0.003f; s++)
        {
            direction += (float)(0.28 * random.Normal());
            var (nx, ny) = (x + Step * MathF.Cos(direction), y + Step * MathF.Sin(direction));
            Line(field, x, y, nx, ny, thickness, 1 - 0.22f * order);
            (x, y, thickness) = (nx, ny, thickness * 0.985f);
            if (order < 3 && random.Chance(0.13))
            {
                var turn = (float)(random.Uniform(0.5, 1.1) * (random.Chance(0.5) ? 1 : -1));
                Grow(field, random, x, y, direction + turn, thickness * 0.72f, steps * 2 / 3, order + 1);
                direction -= 0.3f * turn;
            }
        }
    }

    private static void Line(Field field, float x0, float y0, float x1, float y1, float thickness, float strength)
    {
        var wide = MathF.Max(thickness, 0.7f * field.Pixel); // thinner than a pixel: as wide as one, but fainter
        strength *= MathF.Min(1, thickness / wide);
        var reach = 2.2f * wide;
        int Column(float x) => (int)MathF.Round(x / field.Pixel + field.Width * 0.5f - 0.5f);
        int Row(float y) => (int)MathF.Round(y / field.Pixel + field.Height * 0.5f - 0.5f);
        var (left, right) = (Math.Max(0, Column(MathF.Min(x0, x1) - reach)),
            Math.Min(field.Width - 1, Column(MathF.Max(x0, x1) + reach)));
        var (top, bottom) = (Math.Max(0, Row(MathF.Min(y0, y1) - reach)),
            Math.Min(field.Height - 1, Row(MathF.Max(y0, y1) + reach)));
        var (dx, dy) = (x1 - x0, y1 - y0);
        var square = dx * dx + dy * dy;
        for (var row = top; row <= bottom; row++)
            for (var column = left; column <= right; column++)
            {
                var (px, py) = (field.X(column) - x0, field.Y(row) - y0);
                var t = Math.Clamp((px * dx + py * dy) / square, 0, 1);
                var (ex, ey) = ((px - t * dx) / wide, (py - t * dy) / wide);
                var value = strength * MathF.Exp(-(ex * ex + ey * ey));
                ref var at = ref field.Values[row * field.Width + column];
                at = MathF.Max(at, value);
            }
    }
}
