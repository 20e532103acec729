using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace Siamorph.Weights;

/// <summary>
/// The merges of CLIP's byte-pair encoding and the number of every token, read from the user's files: a folder with
/// vocab.json and merges.txt (as in the tokenizer folder of a model), or bpe_simple_vocab_16e6.txt(.gz).
/// </summary>
/// <param name="Merges">Pairs of symbols, first rank first.</param>
/// <param name="Ids">Number of each token, the marks of beginning and end included.</param>
internal sealed record BpeVocabulary(IReadOnlyList<(string Left, string Right)> Merges, IReadOnlyDictionary<string, long> Ids)
{
    /// <summary>The token before every prompt.</summary>
    public const string Begin = "<|startoftext|>";

    /// <summary>The token behind every prompt.</summary>
    public const string End = "<|endoftext|>";

    private const string EndOfWord = "</w>";
    private const int UsedMerges = 48894; // the list holds more; CLIP's vocabulary of 49,408 ends here
    private const long LargestFile = 64 << 20;

    /// <summary>Reads either form.</summary>
    /// <param name="path">Folder with vocab.json and merges.txt, one of the two, or bpe_simple_vocab_16e6.txt(.gz).</param>
    /// <exception cref="WeightsFormatException">Files are missing or not of that form; the message says which are
    /// needed.</exception>
    public static BpeVocabulary Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            var folder = Directory.Exists(path) ? path
                : Path.GetFileName(path) is "vocab.json" or "merges.txt" ? Path.GetDirectoryName(Path.GetFullPath(path))! : null;
            if (folder is null) return OfMerges(Lines(path).Skip(1).Take(UsedMerges), path);
            if (Directory.EnumerateFiles(folder, "bpe_simple_vocab_16e6.txt*").FirstOrDefault() is { } list
                && !File.Exists(Path.Combine(folder, "vocab.json")))
                return OfMerges(Lines(list).Skip(1).Take(UsedMerges), list);
            var merges = Merged(Lines(Path.Combine(folder, "merges.txt"))
                .Where(l => !l.StartsWith("#version", StringComparison.Ordinal)), folder);
            return Checked(new(merges, ReadIds(Path.Combine(folder, "vocab.json"))), folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new WeightsFormatException(
                $"{path}: no tokenizer can be read here ({e.Message.TrimEnd('.')}). Name a folder with vocab.json and "
                    + $"merges.txt, or bpe_simple_vocab_16e6.txt.gz.", e);
        }
    }

    /// <summary>The symbol of each byte: itself where it is printable, otherwise one from U+0100 on.</summary>
    public static IReadOnlyList<char> ByteSymbols { get; } = Symbols();

    private static char[] Symbols()
    {
        var symbols = new char[256];
        var next = (char)256;
        for (var b = 0; b < 256; b++) symbols[b] = IsPrintable(b) ? (char)b : next++;
        return symbols;
    }

    private static bool IsPrintable(int b) => b is >= 33 and <= 126 or >= 161 and <= 172 or >= 174 and <= 255;

    // Numbers as CLIP gives them: byte symbols (printable ones first), the same at a word's end, merges, the two marks.
    private static BpeVocabulary OfMerges(IEnumerable<string> lines, string source)
    {
        var merges = Merged(lines, source);
        var symbols = Enumerable.Range(0, 256).OrderBy(b => IsPrintable(b) ? 0 : 1).ThenBy(b => b)
            .Select(b => ByteSymbols[b].ToString()).ToList();
        List<string> tokens = [.. symbols, .. symbols.Select(s => s + EndOfWord), .. merges.Select(m => m.Left + m.Right),
            Begin, End];
        var ids = new Dictionary<string, long>();
        for (var i = 0; i < tokens.Count; i++) ids.TryAdd(tokens[i], i);
        return new(merges, ids);
    }

    private static List<(string Left, string Right)> Merged(IEnumerable<string> lines, string source)
    {
        var merges = new List<(string, string)>();
        foreach (var line in lines.Where(l => l.Length > 0))
        {
            if (line.Split(' ') is not [var left, var right])
                throw new WeightsFormatException(
                    $"{source}: \"{line[..Math.Min(line.Length, 40)]}\" is not a merge of two symbols. Give the tokenizer's own "
                        + $"merges.txt or bpe_simple_vocab_16e6.txt.gz.");
            merges.Add((left, right));
        }
        if (merges.Count == 0) throw new WeightsFormatException($"{source}: holds no merges.");
        return merges;
    }

    private static Dictionary<string, long> ReadIds(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return JsonSerializer.Deserialize<Dictionary<string, long>>(stream) ?? [];
        }
        catch (JsonException e)
        {
            throw new WeightsFormatException($"{path}: is not a list of tokens ({e.Message.TrimEnd('.')}).", e);
        }
    }

    private static BpeVocabulary Checked(BpeVocabulary vocabulary, string source)
    {
        var missing = vocabulary.Merges.Select(m => m.Left + m.Right).Append(Begin).Append(End)
            .Where(t => !vocabulary.Ids.ContainsKey(t)).Take(3).ToList();
        return missing.Count == 0
            ? vocabulary
            : throw new WeightsFormatException(
                $"{source}: vocab.json lacks tokens that merges.txt makes, such as {string.Join(", ", missing)}. Take both from "
                    + $"the same model.");
    }

    private static List<string> Lines(string path)
    {
        if (new FileInfo(path).Length > LargestFile)
            throw new WeightsFormatException($"{path}: is far too large for a list of merges.");
        using var file = File.OpenRead(path);
        using Stream text = Path.GetExtension(path) == ".gz" ? new GZipStream(file, CompressionMode.Decompress) : file;
        using var reader = new StreamReader(text, Encoding.UTF8);
        var lines = new List<string>();
        while (reader.ReadLine() is { } line) lines.Add(line);
        return lines;
    }
}
