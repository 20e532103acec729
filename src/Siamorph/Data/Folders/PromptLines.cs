using System.Text.Json;

namespace Siamorph.Data.Folders;

// prompt.json as the method's authors write it: an object a line, source = mask, target = image, prompt.
internal static class PromptLines
{
    private const string FileName = "prompt.json";

    internal static Dataset? TryRead(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return null;
        var collector = new PairCollector(folder);
        foreach (var (json, where) in Objects(path)) collector.Add(Parse(json, folder, where));
        PlainFolders.ReportUnlisted(folder, collector);
        return collector.ToDataset("prompt lines");
    }

    // An object a line, as the authors write it; or one list of them, as many programs do.
    private static IEnumerable<(JsonElement Json, string Where)> Objects(string path)
    {
        var text = File.ReadAllText(path);
        if (text.AsSpan().TrimStart() is ['[', ..])
        {
            using var list = Document(text, path);
            var place = 0;
            foreach (var item in list.RootElement.EnumerateArray()) yield return (item, $"{path}, entry {++place}");
            yield break;
        }
        var number = 0;
        foreach (var line in text.Split('\n'))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line)) continue;
            using var one = Document(line, $"{path}, line {number}");
            yield return (one.RootElement, $"{path}, line {number}");
        }
    }

    private static JsonDocument Document(string text, string where)
    {
        try
        {
            return JsonDocument.Parse(text);
        }
        catch (JsonException e)
        {
            throw new InvalidDatasetException(
                $"{where}: not a JSON object with source, target and prompt. Mend or remove it.", e);
        }
    }

    private static ImageMaskPair Parse(JsonElement json, string folder, string where)
    {
        try
        {
            var image = Text(json, "target") ?? throw Incomplete(where, "target");
            var mask = Text(json, "source") ?? throw Incomplete(where, "source");
            return new ImageMaskPair
            {
                Id = Path.GetFileNameWithoutExtension(image.Replace('\\', '/')),
                ImagePath = NamedFile.Find(folder, image, orBelow: true),
                MaskPath = NamedFile.Find(folder, mask, orBelow: true),
                Prompt = Text(json, "prompt") ?? "",
            };
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidDatasetException(
                $"{where}: not a JSON object with source, target and prompt. Mend or remove the line.", e);
        }
    }

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static InvalidDatasetException Incomplete(string where, string field) =>
        new($"{where}: \"{field}\" is missing. Add it or remove the line.");
}
