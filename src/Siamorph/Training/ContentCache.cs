using System.Security.Cryptography;
using System.Text;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Training;

/// <summary>
/// Tensors on disk under the hash of all that they were made of: found again in the next epoch and in the next run, and never
/// out of date. One small safetensors file each; a damaged one is made anew.
/// </summary>
/// <param name="folder">Where they lie; made when the first is written.</param>
internal sealed class ContentCache(string folder)
{
    private const string Stem = "value";

    /// <summary>The tensor of a key, made and kept where it is missing. The caller (or the dispose scope) owns it.</summary>
    /// <param name="key">What <see cref="KeyOf"/> gave.</param>
    /// <param name="make">Makes it; CPU or other, any type.</param>
    /// <exception cref="SiamorphException">The folder can't be written.</exception>
    public Tensor Get(string key, Func<Tensor> make)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(make);
        var path = Path.Combine(folder, key[..2], $"{key}.safetensors");
        if (TryRead(path) is { } known) return known;
        var made = make().contiguous(); // as one from the disk: kernels round differently for other memory orders
        SafeTensors.Write(path, new Dictionary<string, Tensor> { [Stem] = made });
        return made;
    }

    /// <summary>A key of everything that decides a value: text, and the bytes of CPU tensors.</summary>
    public static string KeyOf(string text, params IEnumerable<Tensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(text));
        using var scope = NewDisposeScope();
        foreach (var tensor in tensors)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"|{tensor.dtype}[{string.Join(',', tensor.shape)}]"));
            hash.AppendData(tensor.detach().cpu().contiguous().bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static Tensor? TryRead(string path)
    {
        if (!File.Exists(path)) return null;
        try
        {
            return SafeTensors.Read(path).GetValueOrDefault(Stem);
        }
        catch (WeightsFormatException)
        {
            return null;
        }
    }
}
