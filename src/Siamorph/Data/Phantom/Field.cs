namespace Siamorph.Data.Phantom;

// A number for each pixel of a grid whose centre is (0,0); one unit is half the side of a square of the same area.
internal sealed class Field(int width, int height)
{
    internal int Width => width;

    internal int Height => height;

    internal float[] Values { get; } = new float[width * height];

    // Units a pixel.
    internal float Pixel { get; } = 2f / MathF.Sqrt((float)width * height);

    internal float X(int column) => (column + 0.5f - width * 0.5f) * Pixel;

    internal float Y(int row) => (row + 0.5f - height * 0.5f) * Pixel;

    internal Field Like() => new(width, height);

    internal Field Copy()
    {
        var copy = Like();
        Values.CopyTo(copy.Values, 0);
        return copy;
    }

    internal static Field Make(Field like, Func<float, float, float> value)
    {
        var field = like.Like();
        for (var y = 0; y < like.Height; y++)
            for (var x = 0; x < like.Width; x++)
                field.Values[y * like.Width + x] = value(like.X(x), like.Y(y));
        return field;
    }

    internal float Clamped(int x, int y) => Values[Math.Clamp(y, 0, height - 1) * width + Math.Clamp(x, 0, width - 1)];

    // A Gaussian blur; sigma in units. Three box blurs of fractional width, borders repeated.
    internal Field Blurred(float sigma)
    {
        var radius = (MathF.Sqrt(1 + 4 * sigma * sigma / (Pixel * Pixel)) - 1) / 2;
        var result = Copy();
        if (radius < 0.02f) return result;
        var whole = (int)radius;
        var line = new float[Math.Max(width, height) + 2 * (whole + 1)];
        for (var pass = 0; pass < 3; pass++)
        {
            for (var y = 0; y < height; y++) Box(result.Values, y * width, 1, width, radius, line);
            for (var x = 0; x < width; x++) Box(result.Values, x, width, height, radius, line);
        }
        return result;
    }

    private static void Box(float[] values, int start, int step, int count, float radius, float[] padded)
    {
        var whole = (int)radius;
        var (part, scale, margin) = (radius - whole, 1 / (2 * radius + 1), whole + 1);
        for (int i = 0, at = start; i < count; i++, at += step) padded[margin + i] = values[at];
        Array.Fill(padded, values[start], 0, margin);
        Array.Fill(padded, padded[margin + count - 1], margin + count, margin);
        var sum = 0f;
        for (var i = 1; i < 2 * margin; i++) sum += padded[i];
        for (int i = 0, at = start; i < count; i++, at += step)
        {
            var (before, after) = (padded[i], padded[i + 2 * margin]);
            values[at] = (sum + part * (before + after)) * scale;
            sum += after - padded[i + 1];
        }
    }
}
