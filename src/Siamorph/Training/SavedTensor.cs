using static TorchSharp.torch;

namespace Siamorph.Training;

/// <summary>Copies what was saved into what is there, and says what does not fit.</summary>
internal static class SavedTensor
{
    public static void CopyTo(Tensor target, IReadOnlyDictionary<string, Tensor> saved, string key, string what)
    {
        if (!saved.TryGetValue(key, out var tensor)) throw new WeightsMismatchException($"{what}: {key} is missing.");
        if (!tensor.shape.AsSpan().SequenceEqual(target.shape))
        {
            throw new WeightsMismatchException(
                $"{what}: {key} is [{string.Join(',', tensor.shape)}], here it must be [{string.Join(',', target.shape)}].");
        }
        target.copy_(tensor);
    }
}
