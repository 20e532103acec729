using Siamorph.Imaging;
using static TorchSharp.torch;

namespace Siamorph.Evaluation.ImageSets;

/// <summary>
/// The ways in which published metrics resize images for their networks; numbers of different ones never compare.
/// </summary>
internal static class FeatureResize
{
    /// <summary>torch's bilinear, not antialiased, as pytorch-fid resizes.</summary>
    /// <param name="x">float32 [B,C,H,W].</param>
    /// <param name="height">Rows of the result.</param>
    /// <param name="width">Columns of the result.</param>
    public static Tensor TorchBilinear(Tensor x, int height, int width) =>
        nn.functional.interpolate(x, [height, width], mode: InterpolationMode.Bilinear, align_corners: false);

    /// <summary>torch's bicubic (a = −0.75), not antialiased, as CMMD resizes.</summary>
    /// <inheritdoc cref="TorchBilinear"/>
    public static Tensor TorchBicubic(Tensor x, int height, int width) =>
        nn.functional.interpolate(x, [height, width], mode: InterpolationMode.Bicubic, align_corners: false);

    /// <summary>
    /// Bilinear as TensorFlow 1 did it: the source of pixel i is i · scale, without a half-pixel shift or antialiasing.
    /// </summary>
    /// <param name="x">float32 [B,C,H,W].</param>
    /// <param name="height">Rows of the result.</param>
    /// <param name="width">Columns of the result.</param>
    public static Tensor Tf1Bilinear(Tensor x, int height, int width)
    {
        ArgumentNullException.ThrowIfNull(x);
        using var scope = NewDisposeScope();
        return Along(Along(x, 2, height), 3, width).MoveToOuterDisposeScope();
    }

    /// <summary>Pillow's antialiased bicubic on floating point channels, unclipped, as clean-fid resizes.</summary>
    /// <param name="x">float32 [B,C,H,W].</param>
    /// <param name="height">Rows of the result.</param>
    /// <param name="width">Columns of the result.</param>
    public static Tensor CleanFid(Tensor x, int height, int width) => Pillow(x, height, width, PillowFilter.Bicubic);

    /// <summary>Any of Pillow's antialiased filters on floating point channels.</summary>
    public static Tensor Pillow(Tensor x, int height, int width, PillowFilter filter)
    {
        ArgumentNullException.ThrowIfNull(x);
        using var scope = NewDisposeScope();
        var rows = x.matmul(Matrix((int)x.shape[3], width, filter).t());
        return Matrix((int)x.shape[2], height, filter).matmul(rows).MoveToOuterDisposeScope();
    }

    private static Tensor Matrix(int from, int to, PillowFilter filter)
    {
        var values = new float[to * from];
        var taps = PillowResize.Taps(from, to, filter);
        for (var i = 0; i < to; i++)
            for (var k = 0; k < taps[i].Weights.Length; k++) values[i * from + taps[i].First + k] = (float)taps[i].Weights[k];
        return tensor(values, [to, from]);
    }

    private static Tensor Along(Tensor x, int dimension, int count)
    {
        long length = x.shape[dimension];
        var scale = (float)length / count;
        var (low, high, weight) = (new long[count], new long[count], new float[count]);
        for (var i = 0; i < count; i++)
        {
            var source = i * scale;
            low[i] = (long)source;
            high[i] = Math.Min(low[i] + 1, length - 1);
            weight[i] = source - low[i];
        }
        var shares = tensor(weight).reshape(dimension == 2 ? [count, 1] : [1, count]);
        Tensor below = x.index_select(dimension, tensor(low)), above = x.index_select(dimension, tensor(high));
        return below + (above - below) * shares;
    }
}
