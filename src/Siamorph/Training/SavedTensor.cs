using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Training;

/// <summary>Copies what was saved into what is there, and says what does not fit.</summary>
internal static class SavedTensor
{
    public static void CopyTo(Tensor target, WeightTable saved, string key, string what)
    {
        if (!saved.TryGet(key, out var entry)) throw new WeightsMismatchException($"{what}: {key} is missing.");
        if (!entry.Shape.SequenceEqual(target.shape))
            throw new WeightsMismatchException(
                $"{what}: {key} is {entry.ShapeText}, here it must be [{string.Join(',', target.shape)}].");
        using var stored = entry.Read();
        target.copy_(stored);
    }
}
