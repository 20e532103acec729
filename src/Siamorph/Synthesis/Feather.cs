using Siamorph.Imaging;

namespace Siamorph.Synthesis;

/// <summary>Soft borders between a lesion and what surrounds it.</summary>
internal static class Feather
{
    /// <summary>1 within the lesion and a margin about it, falling to 0 over a soft border.</summary>
    /// <param name="mask">0 is background.</param>
    /// <param name="margin">Pixels that are wholly inside, beyond the lesion.</param>
    /// <param name="softness">Pixels over which it falls.</param>
    /// <returns>[H·W], row by row, in [0,1].</returns>
    public static float[] Of(LabelMap mask, int margin, int softness)
    {
        var inside = Array.ConvertAll(mask.Labels, l => l != 0 ? 1f : 0f);
        var grown = Filter(inside, mask.Size, margin, (values, _) => values.Max);
        return Filter(Filter(grown, mask.Size, softness, (values, count) => values.Sum / count), mask.Size, softness,
            (values, count) => values.Sum / count);
    }

    /// <summary>What lies around a lesion, up to a distance, and is none itself.</summary>
    public static bool[] Ring(LabelMap mask, int width)
    {
        var inside = Array.ConvertAll(mask.Labels, l => l != 0 ? 1f : 0f);
        var grown = Filter(inside, mask.Size, width, (values, _) => values.Max);
        return [.. grown.Zip(inside, (g, i) => g > 0 && i == 0)];
    }

    // A square window, first along the rows and then along the columns; smaller at the border.
    private static float[] Filter(float[] values, ImageSize size, int radius, Func<(float Max, float Sum), int, float> of)
    {
        if (radius == 0) return values;
        return Along(Along(values, size.Width, size.Height, 1, size.Width, radius, of), size.Height, size.Width, size.Width, 1,
            radius, of);
    }

    private static float[] Along(float[] values, int length, int lines, int step, int line, int radius,
        Func<(float Max, float Sum), int, float> of)
    {
        var result = new float[values.Length];
        for (var l = 0; l < lines; l++)
            for (var i = 0; i < length; i++)
            {
                var (from, to) = (Math.Max(0, i - radius), Math.Min(length - 1, i + radius));
                var (max, sum) = (float.MinValue, 0f);
                for (var k = from; k <= to; k++)
                {
                    var value = values[l * line + k * step];
                    (max, sum) = (Math.Max(max, value), sum + value);
                }
                result[l * line + i * step] = of((max, sum), to - from + 1);
            }
        return result;
    }
}
