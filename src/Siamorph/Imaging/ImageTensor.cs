using static TorchSharp.torch;

namespace Siamorph.Imaging;

/// <summary>Images as tensors and back. Tensors are on the CPU; the caller disposes them.</summary>
internal static class ImageTensor
{
    /// <summary>The image as float32 [3,H,W] in [-1,1]: level / 127.5 − 1.</summary>
    public static Tensor FromRgb(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var area = image.Size.Width * image.Size.Height;
        var values = new float[3 * area];
        for (var i = 0; i < area; i++)
            for (var c = 0; c < 3; c++)
                values[c * area + i] = ToUnit(image.Pixels[3 * i + c]);
        return tensor(values, [3, image.Size.Height, image.Size.Width]);
    }

    /// <summary>The mask as float32 [1,H,W]: 0 background, 1 every other class.</summary>
    public static Tensor FromMask(LabelMap mask)
    {
        ArgumentNullException.ThrowIfNull(mask);
        return tensor(Array.ConvertAll(mask.Labels, l => l == 0 ? 0f : 1f), [1, mask.Size.Height, mask.Size.Width]);
    }

    /// <summary>Rounds values in [-1,1] to 8-bit levels; what lies outside is clamped, what is not a number becomes 0.</summary>
    /// <param name="image">[3,H,W], any floating type and device.</param>
    /// <exception cref="ArgumentException">The shape is another.</exception>
    public static RgbImage ToRgb(Tensor image)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (image.dim() != 3 || image.shape[0] != 3)
            throw new ArgumentException($"[3,H,W] expected, not [{string.Join(',', image.shape)}].", nameof(image));
        var size = new ImageSize((int)image.shape[2], (int)image.shape[1]);
        var area = size.Width * size.Height;
        var values = Values(image);
        var pixels = new byte[3 * area];
        for (var i = 0; i < area; i++)
            for (var c = 0; c < 3; c++)
                pixels[3 * i + c] = ToLevel(values[c * area + i]);
        return new RgbImage(size, pixels);
    }

    /// <summary>A binary mask: 1 where the value exceeds ½.</summary>
    /// <param name="mask">[1,H,W] or [H,W], any floating type and device.</param>
    /// <exception cref="ArgumentException">The shape is another.</exception>
    public static LabelMap ToMask(Tensor mask)
    {
        ArgumentNullException.ThrowIfNull(mask);
        var shape = mask.shape;
        if (shape.Length is not (2 or 3) || (shape.Length == 3 && shape[0] != 1))
            throw new ArgumentException($"[1,H,W] or [H,W] expected, not [{string.Join(',', shape)}].", nameof(mask));
        return new LabelMap(
            new ImageSize((int)shape[^1], (int)shape[^2]), Array.ConvertAll(Values(mask), v => v > 0.5f ? (byte)1 : (byte)0));
    }

    /// <summary>An 8-bit level in [-1,1].</summary>
    internal static float ToUnit(byte level) => level / 127.5f - 1f;

    private static byte ToLevel(float value) =>
        float.IsNaN(value) ? (byte)0 : (byte)MathF.Round(Math.Clamp((value + 1f) * 127.5f, 0f, 255f));

    private static float[] Values(Tensor of)
    {
        using var scope = NewDisposeScope();
        return of.detach().to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
    }
}
