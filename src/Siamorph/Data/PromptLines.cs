using System.Text.Json;

namespace Siamorph.Data;

// prompt.json as the method's authors write it: an object a line, source = mask, target = image, prompt.
internal static class PromptLines
{
    private const string FileName = "prompt.json";

    internal static Dataset? TryRead(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return null;
        var collector = new PairCollector(folder);
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (!string.IsNullOrWhiteSpace(line)) collector.Add(Parse(line, folder, $"{path}, line {number}"));
        }
        PlainFolders.ReportUnlisted(folder, collector);
        return collector.ToDataset("prompt lines");
    }

    private static ImageMaskPair Parse(string line, string folder, string where)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var image = Text(json, "target") ?? throw Incomplete(where, "target");
            var mask = Text(json, "source") ?? throw Incomplete(where, "source");
            return new ImageMaskPair
            {
                Id = Path.GetFileNameWithoutExtension(image),
                ImagePath = Find(folder, image),
                MaskPath = Find(folder, mask),
                Prompt = Text(json, "prompt") ?? "",
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDatasetException($"{where}: not a JSON object with source, target and prompt. Mend or remove the line.", e);
        }
    }

    private static string? Text(JsonDocument json, string name) => json.RootElement.TryGetProperty(name, out var value) ? value.GetString() : null;

    // Paths are meant from the folder of the file, but are often written from where the training was started.
    private static string Find(string folder, string path)
    {
        var direct = Path.GetFullPath(Path.Combine(folder, path));
        if (File.Exists(direct)) return direct;
        var parts = path.Split('/', '\\');
        return Enumerable.Range(1, Math.Max(0, parts.Length - 1))
            .Select(skip => Path.GetFullPath(Path.Combine([folder, .. parts[skip..]])))
            .FirstOrDefault(File.Exists) ?? direct;
    }

    private static InvalidDatasetException Incomplete(string where, string field) =>
        new($"{where}: \"{field}\" is missing. Add it or remove the line.");
}
