using System.Text;

namespace Siamorph.Weights;

/// <summary>Tells by its first bytes what a file is, and names what weight files are often replaced by.</summary>
internal static class FileKind
{
    private const int Prefix = 4096;

    private static readonly (byte[] Start, string What)[] Others =
    [
        ([0x1F, 0x8B], "a gzip archive; unpack it first"),
        ([0x89, (byte)'H', (byte)'D', (byte)'F'], "an HDF5 file (Keras); export its weights as safetensors"),
        ([0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'], "a NumPy array; export the weights as safetensors"),
        ("GGUF"u8.ToArray(), "a GGUF file, whose quantised weights can't be trained; get the safetensors version"),
        ([0x89, (byte)'P', (byte)'N', (byte)'G'], "a PNG image"),
        ([0xFF, 0xD8, 0xFF], "a JPEG image"),
        ("%PDF"u8.ToArray(), "a PDF document"),
        ("Rar!"u8.ToArray(), "a RAR archive; unpack it first"),
        ([0x37, 0x7A, 0xBC, 0xAF], "a 7z archive; unpack it first"),
    ];

    /// <summary>The format of a file.</summary>
    /// <exception cref="WeightsFormatException">It is none that is read; the message says what it is instead.</exception>
    public static WeightsFormat Of(WeightBytes file)
    {
        if (file.Length == 0) throw Refused(file, "is empty: the download or copy never began");
        var start = file.Read(0, Prefix);
        ThrowIfText(file, start);
        if (start.AsSpan().StartsWith("PK\x03\x04"u8)) return WeightsFormat.TorchZip;
        if (start.Length > 1 && start[0] == 0x80 && start[1] is >= 1 and <= 5) return WeightsFormat.TorchLegacy;
        if (start.Length > 262 && start.AsSpan(257, 5).SequenceEqual("ustar"u8))
            throw Refused(file, "is a tar archive: unpack it, or, where it is a PyTorch file older than 2017, save it again with "
                + "a newer PyTorch");
        foreach (var (magic, what) in Others)
            if (start.AsSpan().StartsWith(magic)) throw Refused(file, $"is {what}");
        if (!start.AsSpan().ContainsAnyExcept((byte)0))
            throw Refused(file, "begins with nothing but zero bytes, as an unfinished download does");
        return IsSafeTensors(file, start) ? WeightsFormat.SafeTensors : throw Refused(file,
            $"is neither safetensors nor a PyTorch file (it begins with "
                + $"{Convert.ToHexString(start.AsSpan(0, Math.Min(8, start.Length)))})");
    }

    /// <summary>Refuses Git LFS pointers, web pages and other text in the place of weights.</summary>
    public static void ThrowIfText(WeightBytes file, ReadOnlySpan<byte> start)
    {
        var text = Encoding.Latin1.GetString(start).TrimStart('\u00EF', '\u00BB', '\u00BF', ' ', '\t', '\r', '\n');
        if (text.StartsWith("version https://git-lfs", StringComparison.Ordinal)) throw Pointer(file, text);
        if (text.StartsWith("<!doctype", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("<?xml", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("<head", StringComparison.OrdinalIgnoreCase))
            throw Refused(file, $"is a web page{Title(text)}, not weights: the link was wrong, or the download needs a login");
        if (text.StartsWith('{')) throw Refused(file,
            "is a JSON text, not weights; where it is an error message, read it; where it is a config, name its folder");
    }

    private static bool IsSafeTensors(WeightBytes file, byte[] start) =>
        file.Path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) || (start.Length > 8 && start[8] == '{');

    private static WeightsFormatException Pointer(WeightBytes file, string text)
    {
        var size = text.Split('\n').FirstOrDefault(l => l.StartsWith("size ", StringComparison.Ordinal))?[5..].Trim();
        return Refused(file, $"is a Git LFS pointer, not the file itself{(size is null ? "" : $" ({size} bytes)")}: run `git lfs "
            + $"pull` in its repository, or download the file");
    }

    private static string Title(string text)
    {
        var begin = text.IndexOf("<title>", StringComparison.OrdinalIgnoreCase);
        var end = begin < 0 ? -1 : text.IndexOf('<', begin + 7);
        return end > begin && end - begin < 90 ? $" (\"{text[(begin + 7)..end].Trim()}\")" : "";
    }

    private static WeightsFormatException Refused(WeightBytes file, string finding) => new($"{file.Path}: {finding}.");
}
