using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Siamorph.Data.Splits;

namespace Siamorph.Data.Folders;

// manifest.jsonl: one pair a line. Unknown fields are passed over, so that later versions can add some.
internal static class Manifest
{
    internal const string FileName = "manifest.jsonl";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        PropertyNameCaseInsensitive = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    internal static Dataset? TryRead(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return null;
        var collector = new PairCollector(folder);
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (!string.IsNullOrWhiteSpace(line))
                collector.Add(Parse(line, path, number).ToPair(folder, $"{path}, line {number}"));
        }
        PlainFolders.ReportUnlisted(folder, collector);
        return collector.ToDataset("manifest");
    }

    internal static void Write(string folder, IEnumerable<ImageMaskPair> pairs)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(pairs);
        folder = Path.GetFullPath(folder);
        var text = new StringBuilder();
        foreach (var pair in pairs) text.Append(JsonSerializer.Serialize(Line.Of(pair, folder), Json)).Append('\n');
        AtomicFile.WriteText(Path.Combine(folder, FileName), text.ToString());
    }

    /// <summary>Changes the line of one pair; all others, and fields that are not known here, stay as they are.</summary>
    /// <exception cref="InvalidDatasetException">No line, or more than one, is that of the pair.</exception>
    internal static void Change(string folder, string id, Action<JsonObject> change)
    {
        var path = Path.Combine(folder, FileName);
        string[] lines = [.. File.ReadLines(path)];
        var own = Enumerable.Range(0, lines.Length)
            .Where(i => !string.IsNullOrWhiteSpace(lines[i]) && Parse(lines[i], path, i + 1).PairId == id).ToList();
        if (own.Count != 1) throw new InvalidDatasetException(
            $"{path}: {own.Count} lines are of {id}. Give each pair a line and an id of its own.");
        var line = JsonNode.Parse(lines[own[0]], new JsonNodeOptions { PropertyNameCaseInsensitive = true })!.AsObject();
        change(line);
        lines[own[0]] = line.ToJsonString(Json);
        AtomicFile.WriteText(path, string.Concat(lines.Select(l => l + "\n")));
    }

    private static Line Parse(string text, string path, int number)
    {
        try
        {
            var line = JsonSerializer.Deserialize<Line>(text, Json);
            if (line is { Mask: null or "", Masks: [{ Length: > 0 } first, ..] }) line = line with { Mask = first };
            if (line is { Image.Length: > 0, Mask.Length: > 0 }) return line;
        }
        catch (JsonException e)
        {
            throw new InvalidDatasetException(
                $"{path}, line {number}: not a pair as JSON ({e.Message.Split(" Path:")[0].TrimEnd('.')}). Mend or remove "
                    + $"the line.", e);
        }
        throw new InvalidDatasetException($"{path}, line {number}: \"image\" or \"mask\" is missing. Add it or remove the line.");
    }

    private sealed record Line(
        string? Id, string? Image, string? Mask, string? Prompt, PairSource Source, string? Split, string? Group, string? Centre,
        ChannelFiles? Channels, SyntheticOrigin? Origin, IReadOnlyList<string>? Masks = null,
        IReadOnlyList<string>? MoreMasks = null)
    {
        internal static Line Of(ImageMaskPair pair, string folder) => new(
            pair.Id, Relative(folder, pair.ImagePath), Relative(folder, pair.MaskPath), pair.Prompt, pair.Source, pair.Split,
            pair.Group, pair.Centre,
            pair.Channels is { } c ? new ChannelFiles(Relative(folder, c.GreenPath), Relative(folder, c.BluePath))
                : null, pair.Origin,
            pair.OtherMaskPaths.Count > 0 ? [.. PairFiles.MaskPaths(pair).Select(m => Relative(folder, m))] : null,
            pair.MoreMaskPaths.Count > 0 ? [.. pair.MoreMaskPaths.Select(m => Relative(folder, m))] : null);

        internal string PairId => string.IsNullOrEmpty(Id) ? Path.GetFileNameWithoutExtension(Image!.Replace('\\', '/')) : Id;

        internal ImageMaskPair ToPair(string folder, string where) => new()
        {
            Id = PairId,
            ImagePath = Full(folder, Image!),
            MaskPath = Full(folder, Mask!),
            OtherMaskPaths = Masks is null ? []
                : [.. Masks.Where(m => m.Length > 0).Select(m => Full(folder, m)).Where(m => m != Full(folder, Mask!))],
            MoreMaskPaths = MoreMasks is null ? [] : [.. MoreMasks.Select(m => Full(folder, m))],
            Prompt = Prompt ?? "",
            Source = Source,
            Split = string.IsNullOrWhiteSpace(Split) ? null : SplitNames.Read(Split, where),
            Group = string.IsNullOrEmpty(Group) ? null : Group,
            Centre = string.IsNullOrEmpty(Centre) ? null : Centre,
            Channels = Channels is { } c ? new ChannelFiles(Full(folder, c.GreenPath), Full(folder, c.BluePath)) : null,
            Origin = Origin,
        };

        private static string Relative(string folder, string path) =>
            Path.GetRelativePath(folder, Path.GetFullPath(path)).Replace('\\', '/');

        private static string Full(string folder, string path) => NamedFile.Find(folder, path);
    }
}
