using Siamorph.Imaging;

namespace Siamorph.Evaluation.Radiomics;

/// <summary>
/// The Laplacian of a Gaussian, scaled by σ² so that answers at several widths compare (Lindeberg 1998): dark blobs of radius
/// σ√2 are brightest. Kernels are sampled and cut at 6 σ, borders repeated; the recursive filter that pyradiomics calls differs
/// a little.
/// </summary>
internal static class LaplacianOfGaussian
{
    private const double Reach = 6;

    /// <summary>The filtered values.</summary>
    /// <param name="size">Width and height.</param>
    /// <param name="values">y · width + x.</param>
    /// <param name="sigma">Width of the Gaussian in pixels, above 0.</param>
    /// <exception cref="ArgumentException">The number of values does not fit the size, or σ is not above 0.</exception>
    public static double[] Of(ImageSize size, double[] values, double sigma)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sigma);
        if (values.Length != size.Width * size.Height)
            throw new ArgumentException($"{values.Length} values are not {size}.", nameof(values));
        double[] smooth = Kernel(sigma, 0), curved = Kernel(sigma, 2);
        double[] Down(double[] v, double[] kernel) => Along(v, size.Width, size.Height, 1, size.Width, kernel);
        double[] Across(double[] v, double[] kernel) => Along(v, size.Height, size.Width, size.Width, 1, kernel);
        var (vertical, horizontal) = (Across(Down(values, curved), smooth), Across(Down(values, smooth), curved));
        return [.. vertical.Zip(horizontal, (a, b) => sigma * sigma * (a + b))];
    }

    // A Gaussian whose samples add up to 1, or its second derivative.
    private static double[] Kernel(double sigma, int derivative)
    {
        var radius = (int)(Reach * sigma + .5);
        var (variance, kernel) = (sigma * sigma, new double[2 * radius + 1]);
        for (var i = 0; i < kernel.Length; i++) kernel[i] = Math.Exp(-.5 / variance * (i - radius) * (i - radius));
        var sum = kernel.Sum();
        for (var i = 0; i < kernel.Length; i++)
            kernel[i] *= (derivative == 2 ? (i - radius) * (i - radius) / (variance * variance) - 1 / variance : 1) / sum;
        return kernel;
    }

    private static double[] Along(double[] values, int lines, int length, int lineStep, int step, double[] kernel)
    {
        var (result, radius) = (new double[values.Length], kernel.Length / 2);
        for (var line = 0; line < lines; line++)
            for (var n = 0; n < length; n++)
            {
                double sum = 0;
                for (var k = 0; k < kernel.Length; k++)
                    sum += kernel[k] * values[line * lineStep + Math.Clamp(n + k - radius, 0, length - 1) * step];
                result[line * lineStep + n * step] = sum;
            }
        return result;
    }
}
