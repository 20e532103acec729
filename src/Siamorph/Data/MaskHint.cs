using Siamorph.Imaging;
using static TorchSharp.torch;

namespace Siamorph.Data;

/// <summary>A mask as a generator is shown it: white lesion, or each class in its colour where there are several.</summary>
internal static class MaskHint
{
    /// <summary>Whether a table has classes that colours tell apart.</summary>
    public static bool HasColours(ClassTable? classes) => classes is { Count: > 2 };

    /// <summary>float32 in [0,1]: [1,H,W] of 0 and 1, or [3,H,W] of the classes' colours.</summary>
    /// <param name="labels">Class numbers.</param>
    /// <param name="classes">Their table; null for lesion against background.</param>
    public static Tensor Of(LabelMap labels, ClassTable? classes)
    {
        ArgumentNullException.ThrowIfNull(labels);
        if (!HasColours(classes)) return ImageTensor.FromMask(labels);
        var area = labels.Labels.Length;
        var values = new float[3 * area];
        for (var c = 0; c < 3; c++)
        {
            var table = Table(classes!, c);
            for (var i = 0; i < area; i++) values[c * area + i] = table[labels.Labels[i]];
        }
        return tensor(values, [3, labels.Size.Height, labels.Size.Width]);
    }

    /// <summary>What each of 256 class numbers becomes in one colour channel, in [0,1].</summary>
    internal static float[] Table(ClassTable classes, int channel) => [.. Enumerable.Range(0, 256).Select(number =>
    {
        if (number >= classes.Count) return 0f;
        var (red, green, blue) = classes.Colour(number);
        return (channel == 0 ? red : channel == 1 ? green : blue) / 255f;
    })];
}
