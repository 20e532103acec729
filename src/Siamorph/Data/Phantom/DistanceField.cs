namespace Siamorph.Data.Phantom;

// Exact Euclidean distance to the nearest background pixel, in units; 0 outside (Felzenszwalb and Huttenlocher 2012).
internal static class DistanceField
{
    private const float Far = 1e9f;

    internal static Field Inside(Field mask)
    {
        var squared = mask.Like();
        for (var i = 0; i < squared.Values.Length; i++) squared.Values[i] = mask.Values[i] > 0 ? Far : 0;
        var n = Math.Max(mask.Width, mask.Height);
        var (line, result, site, edge) = (new float[n], new float[n], new int[n], new float[n + 1]);
        for (var x = 0; x < mask.Width; x++) Along(squared.Values, x, mask.Width, mask.Height);
        for (var y = 0; y < mask.Height; y++) Along(squared.Values, y * mask.Width, 1, mask.Width);
        for (var i = 0; i < squared.Values.Length; i++)
            squared.Values[i] = MathF.Max(0, MathF.Sqrt(squared.Values[i]) - 0.5f) * mask.Pixel;
        return squared;

        void Along(float[] values, int start, int step, int count)
        {
            for (var i = 0; i < count; i++) line[i] = values[start + i * step];
            var last = 0;
            (site[0], edge[0], edge[1]) = (0, -Far, Far);
            for (var q = 1; q < count; q++)
            {
                float s;
                while ((s = Crossing(line, q, site[last])) <= edge[last] && last > 0) last--;
                last++;
                (site[last], edge[last], edge[last + 1]) = (q, s, Far);
            }
            for (int q = 0, k = 0; q < count; q++)
            {
                while (edge[k + 1] < q) k++;
                result[q] = (q - site[k]) * (float)(q - site[k]) + line[site[k]];
            }
            for (var i = 0; i < count; i++) values[start + i * step] = result[i];
        }
    }

    // Where the parabolas of two sites meet; in double, for Far and a square of pixels must not swallow each other.
    private static float Crossing(float[] line, int q, int site) =>
        (float)((line[q] + (double)q * q - line[site] - (double)site * site) / (2.0 * (q - site)));
}
