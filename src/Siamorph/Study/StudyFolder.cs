using System.Text.RegularExpressions;
using Siamorph.Data;
using Siamorph.Training;

namespace Siamorph.Study;

/// <summary>The files of a study. The key is read by <see cref="ReadKey"/> alone.</summary>
internal sealed partial class StudyFolder
{
    public const string StudyName = "study.json", ItemsName = "items.jsonl", KeyName = "key.jsonl",
        UnsealedName = "unsealed.json", ResultName = "results.json";

    private StudyFolder(string path, StudyFile file, string hash, IReadOnlyList<StudyItem> items) =>
        (Path, File, Hash, Items) = (path, file, hash, items);

    public string Path { get; }

    public StudyFile File { get; }

    /// <summary>SHA-256 of study.json: every session holds it from its first answer on.</summary>
    public string Hash { get; }

    public IReadOnlyList<StudyItem> Items { get; }

    public string UnsealedPath => In(UnsealedName);

    public bool IsUnsealed => System.IO.File.Exists(UnsealedPath);

    /// <summary>Whether results lie here although nothing says that the key was opened: somebody took that away.</summary>
    public bool WasSealedAgain => !IsUnsealed && System.IO.File.Exists(In(ResultName));

    /// <exception cref="InvalidStudyException">There is no study, or its items were changed.</exception>
    public static StudyFolder Open(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var path = System.IO.Path.Combine(System.IO.Path.GetFullPath(folder), StudyName);
        if (!System.IO.File.Exists(path))
            throw new InvalidStudyException($"{folder}: no {StudyName} here. Name a folder that \"study make\" wrote.");
        var file = OptionsFile.Load<StudyFile>(path);
        var folderPath = System.IO.Path.GetDirectoryName(path)!;
        var items = JsonLines.Read<StudyItem>(System.IO.Path.Combine(folderPath, ItemsName), file.Items);
        if (items.FirstOrDefault(i => !ItemName().IsMatch(i.Id)) is { } odd)
            throw new InvalidStudyException($"{folder}: {ItemsName} names an image '{odd.Id}', which \"study make\" does not "
                + $"do.");
        return new(folderPath, file, ContentHash.OfFile(path), items);
    }

    /// <summary>The key, for whoever evaluates.</summary>
    /// <exception cref="InvalidStudyException">It is missing or was exchanged.</exception>
    public IReadOnlyDictionary<string, StudyKey> ReadKey() => JsonLines.Read<StudyKey>(In(KeyName), File.Key)
        .ToDictionary(k => k.Id);

    public string ImagePath(string item) => In("images", item + ".png");

    public string ReaderPath(string reader) => In("readers", Named(reader) + ".json");

    public string WithdrawnPath(string reader) => In("readers", Named(reader) + ".withdrawn");

    public string SessionPath(string reader, int session) => In("sessions", $"{Named(reader)}-{session}.jsonl");

    public string OutlinePath(string reader, int session, string item) =>
        In("outlines", $"{Named(reader)}-{session}", item + ".png");

    /// <summary>Pseudonyms of all who enrolled, in order.</summary>
    public IReadOnlyList<string> Readers() => Directory.Exists(In("readers"))
        ? [.. Directory.EnumerateFiles(In("readers"), "*.json").Select(f => System.IO.Path.GetFileNameWithoutExtension(f))
            .Where(IsPseudonym).Order(StringComparer.Ordinal)]
        : [];

    /// <summary>The sessions that a reader has begun, from 1.</summary>
    public IEnumerable<int> Sessions(string reader)
    {
        for (var session = 1; System.IO.File.Exists(SessionPath(reader, session)); session++) yield return session;
    }

    /// <summary>Whether a name may stand in names of files: it also keeps real names out.</summary>
    public static bool IsPseudonym(string name) => Pseudonym().IsMatch(name);

    private static string Named(string reader) => IsPseudonym(reader) ? reader : throw new InvalidStudyException(
        $"'{reader}' is not a pseudonym. Use up to 32 lower-case letters, digits and hyphens, such as reader-3; not a name.");

    private string In(params ReadOnlySpan<string> parts) => System.IO.Path.Combine([Path, .. parts]);

    // The name of a file: a study that came from elsewhere must not lead out of its folder.
    [GeneratedRegex("^[0-9a-f]{32}\\z")]
    private static partial Regex ItemName();

    [GeneratedRegex("^[a-z0-9][a-z0-9-]{0,31}\\z")]
    private static partial Regex Pseudonym();
}
