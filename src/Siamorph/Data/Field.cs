namespace Siamorph.Data;

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
        var line = new float[Math.Max(width, height)];
        for (var pass = 0; pass < 3; pass++)
        {
            for (var y = 0; y < height; y++) Box(result.Values, y * width, 1, width, radius, line);
            for (var x = 0; x < width; x++) Box(result.Values, x, width, height, radius, line);
        }
        return result;
    }

    private static void Box(float[] values, int start, int step, int count, float radius, float[] line)
    {
        for (var i = 0; i < count; i++) line[i] = values[start + i * step];
        var whole = (int)radius;
        var (part, scale) = (radius - whole, 1 / (2 * radius + 1));
        float At(int i) => line[i < 0 ? 0 : i >= count ? count - 1 : i];
        var sum = 0f;
        for (var i = -whole; i <= whole; i++) sum += At(i);
        for (var i = 0; i < count; i++)
        {
            values[start + i * step] = (sum + part * (At(i - whole - 1) + At(i + whole + 1))) * scale;
            sum += At(i + whole + 1) - At(i - whole);
        }
    }
}
