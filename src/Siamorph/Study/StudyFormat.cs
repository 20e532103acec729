using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Siamorph.Data;
using Siamorph.Imaging;
using Siamorph.Training;

namespace Siamorph.Study;

/// <summary>What a reader does with an image.</summary>
internal enum StudyBlock
{
    /// <summary>Rates its quality and the plausibility of the lesion's shape, 1 to 5 each.</summary>
    Quality,

    /// <summary>Says how surely it is real or synthetic, 1 to 6.</summary>
    Realism,

    /// <summary>Outlines the lesion.</summary>
    Outline,
}

/// <summary>study.json: what was fixed before anyone answered.</summary>
internal sealed record StudyFile
{
    public int Format { get; init; } = 1;
    public required string Product { get; init; }
    public required DateTimeOffset Created { get; init; }
    public required StudyOptions Options { get; init; }
    public required ImageSize Size { get; init; }
    public required string Consent { get; init; }

    /// <summary>SHA-256 of items.jsonl.</summary>
    public required string Items { get; init; }

    /// <summary>SHA-256 of key.jsonl: the key can't be exchanged later.</summary>
    public required string Key { get; init; }
}

/// <summary>A line of items.jsonl: all that showing an image needs, and nothing of what it is.</summary>
internal sealed record StudyItem(string Id, string Sha256, IReadOnlyList<StudyBlock> Blocks)
{
    public bool Practice { get; init; }

    /// <summary>The item that this one shows again.</summary>
    public string? Repeats { get; init; }
}

/// <summary>What an item is.</summary>
internal enum StudyKind
{
    Real,
    Synthetic,
    Catch,
}

/// <summary>A line of key.jsonl: what an item is and where it comes from.</summary>
internal sealed record StudyKey(string Id, StudyKind Kind, string Dataset, string Pair)
{
    public bool Practice { get; init; }
    public string? Repeats { get; init; }

    /// <summary>The mask a synthetic image was drawn from.</summary>
    public string? SourceMask { get; init; }

    public string? ModelHash { get; init; }

    /// <summary>The lesion's share of the image.</summary>
    public double Area { get; init; }

    /// <summary>0, 1 or 2: which third of the real lesions by size.</summary>
    public int Third { get; init; }

    /// <summary>The mask at the study's size, as a PNG: outlines are held against it, wherever the dataset has gone.</summary>
    public byte[]? Mask { get; init; }
}

/// <summary>JSON, a line each.</summary>
internal static class JsonLines
{
    private static readonly JsonSerializerOptions Compact = new(OptionsFile.Json)
    {
        WriteIndented = false, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public static string Line<T>(T value) => JsonSerializer.Serialize(value, Compact);

    public static byte[] Bytes<T>(IEnumerable<T> values) =>
        Encoding.UTF8.GetBytes(string.Concat(values.Select(v => Line(v) + "\n")));

    /// <summary>One line; null where it is none of this kind.</summary>
    public static T? Parse<T>(string line) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(line, Compact);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>All lines of a file whose hash is known.</summary>
    /// <exception cref="InvalidStudyException">It is missing, or another file than the study was made with.</exception>
    public static IReadOnlyList<T> Read<T>(string path, string sha256) where T : class
    {
        if (!File.Exists(path)) throw new InvalidStudyException($"{path}: this file of the study is missing. Put it back.");
        var bytes = File.ReadAllBytes(path);
        if (ContentHash.OfBytes(bytes) != sha256)
            throw new InvalidStudyException($"{path}: this is not the file that the study was made with (its SHA-256 differs "
                + $"from the one in {StudyFolder.StudyName}). Put the old one back.");
        return [.. Encoding.UTF8.GetString(bytes).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select((line, i) => Parse<T>(line)
                ?? throw new InvalidStudyException($"{path}, line {i + 1}: the line is not valid. Make the study again."))];
    }
}
