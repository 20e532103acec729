using Siamorph.Models.Codecs;
using Siamorph.Weights;

namespace Siamorph.Siamese.WeightFiles;

/// <summary>Gives a small autoencoder the weights of the user's two files, its encoder and its decoder.</summary>
internal static class CodecFiles
{
    private static readonly string[] Parts = ["encoder", "decoder"];

    /// <summary>Reads both files of a folder, such as taef2_encoder.pth and taef2_decoder.pth.</summary>
    /// <exception cref="WeightsFormatException">One is missing, there are several, or one can't be read.</exception>
    /// <exception cref="WeightsMismatchException">A file holds other tensors.</exception>
    public static void Load(ILatentCodec codec, string folder)
    {
        var module = (TinyAutoencoder)codec;
        foreach (var (part, path) in Find(folder))
        {
            using var file = WeightsFile.Open(path);
            StateDict.Apply(StateDict.Of(module).Under(part + "."), file, path);
        }
    }

    /// <summary>A hash of what both files hold, wherever they lie.</summary>
    /// <exception cref="WeightsFormatException">One is missing, or there are several.</exception>
    public static string Hash(string folder) => string.Join(' ', Find(folder).Select(f => Data.ContentHash.OfFile(f.Path)));

    private static List<(string Part, string Path)> Find(string folder) => [.. Parts.Select(part => (part, Find(folder, part)))];

    private static string Find(string folder, string part)
    {
        string[] found = Directory.Exists(folder)
            ? [.. Directory.GetFiles(folder).Where(f => Path.GetFileName(f).Contains(part, StringComparison.OrdinalIgnoreCase))]
            : [];
        return found.Length == 1 ? found[0] : throw new WeightsFormatException(
            $"{folder}: {(found.Length == 0 ? "no file" : $"{found.Length} files")} with \"{part}\" in the name. Give the "
                + $"folder of TAEF2's two files, taef2_encoder.pth and taef2_decoder.pth (or .safetensors).");
    }
}
