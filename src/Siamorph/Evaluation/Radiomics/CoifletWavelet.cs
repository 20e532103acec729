using Siamorph.Imaging;

namespace Siamorph.Evaluation.Radiomics;

/// <summary>
/// One level of the undecimated wavelet transform with the filter "coif1" (Daubechies 1992), periodic at the borders. A side
/// of odd length is continued by one pixel and cut again.
/// </summary>
internal static class CoifletWavelet
{
    private static readonly string[] Names = ["LL", "LH", "HL", "HH"];

    internal static readonly double[] Low =
        [-0.015655728135791993, -0.07273261951252645, 0.3848648468648578, 0.8525720202116004, 0.3378976624574818,
        -0.07273261951252645];

    internal static readonly double[] High =
        [0.07273261951252645, 0.3378976624574818, -0.8525720202116004, 0.3848648468648578, 0.07273261951252645,
        -0.015655728135791993];

    /// <summary>The four bands by name; the first letter tells the filter along rows, the second along columns.</summary>
    /// <param name="size">Width and height.</param>
    /// <param name="values">y · width + x.</param>
    public static IReadOnlyDictionary<string, double[]> Bands(ImageSize size, double[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        return Names.ToDictionary(name => name, name =>
        {
            var across = Filtered(values, size.Height, size.Width, size.Width, 1, name[0] == 'L' ? Low : High);
            return Filtered(across, size.Width, size.Height, 1, size.Width, name[1] == 'L' ? Low : High);
        });
    }

    private static double[] Filtered(double[] values, int lines, int length, int lineStep, int step, double[] filter)
    {
        var result = new double[values.Length];
        var period = length + length % 2; // the value after the last of an odd line is the first
        for (var line = 0; line < lines; line++)
            for (var n = 0; n < length; n++)
            {
                double sum = 0;
                for (var k = 0; k < filter.Length; k++)
                {
                    var at = ((n + 3 - k) % period + period) % period;
                    sum += filter[k] * values[line * lineStep + (at < length ? at : 0) * step];
                }
                result[line * lineStep + n * step] = sum;
            }
        return result;
    }
}
