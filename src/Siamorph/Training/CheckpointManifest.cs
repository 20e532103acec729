using System.Security.Cryptography;

namespace Siamorph.Training;

/// <summary>Sizes and hashes of a checkpoint's files.</summary>
/// <param name="Files">By file name.</param>
internal sealed record CheckpointManifest(IReadOnlyDictionary<string, CheckpointManifest.Entry> Files)
{
    public const string FileName = "manifest.json";

    private const string Advice = "Remove that checkpoint to go on from the one before.";

    /// <param name="Size">Bytes.</param>
    /// <param name="Sha256">Hexadecimal.</param>
    public sealed record Entry(long Size, string Sha256);

    public static CheckpointManifest Of(string folder) => new(
        new SortedDictionary<string, Entry>(
            Directory.EnumerateFiles(folder)
                .ToDictionary(f => Path.GetFileName(f), f => new Entry(new FileInfo(f).Length, Hash(f))),
            StringComparer.Ordinal));

    public void Write(string folder) => OptionsFile.Save(Path.Combine(folder, FileName), this);

    public static CheckpointManifest Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!Directory.Exists(folder)) throw new WeightsFormatException($"{folder}: the checkpoint does not exist.");
        if (!File.Exists(path))
            throw new WeightsFormatException($"{folder}: {FileName} is missing, so the checkpoint is incomplete. {Advice}");
        try
        {
            var manifest = OptionsFile.Load<CheckpointManifest>(path);
            if (manifest.Files is null) throw new InvalidOptionsException("'files' is missing");
            // Files of the checkpoint's own folder, and of no other place.
            if (manifest.Files.Keys.FirstOrDefault(f => f.Length == 0 || Path.GetFileName(f) != f
                || f.Contains('\0', StringComparison.Ordinal)) is { } name)
                throw new InvalidOptionsException($"'{name.Replace('\0', '?')}' is no file name");
            return manifest.Files.Values.Contains(null)
                ? throw new InvalidOptionsException("a file has no size and hash") : manifest;
        }
        catch (InvalidOptionsException e)
        {
            throw new WeightsFormatException($"{path}: damaged ({e.Message}). {Advice}", e);
        }
    }

    /// <summary>Whether the checkpoint was finished; what has happened to it since is for <see cref="Verify"/> to find.</summary>
    public static bool IsIn(string folder) => File.Exists(Path.Combine(folder, FileName));

    public void Verify(string folder)
    {
        var faults = Files.Select(f => Fault(Path.Combine(folder, f.Key), f.Value)).OfType<string>().ToList();
        if (faults.Count > 0) throw new WeightsFormatException(string.Join(Environment.NewLine, faults));
    }

    private static string? Fault(string path, Entry expected)
    {
        var file = new FileInfo(path);
        if (!file.Exists) return $"{path}: is missing from the checkpoint. {Advice}";
        if (file.Length != expected.Size)
            return $"{path}: {(file.Length < expected.Size ? "cut off" : "altered")}, {file.Length} bytes instead of "
                + $"{expected.Size}. {Advice}";
        return Hash(path) == expected.Sha256 ? null : $"{path}: altered since it was written (SHA-256 differs). {Advice}";
    }

    private static string Hash(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new WeightsFormatException($"{path}: can't be read ({e.Message.TrimEnd('.')}).", e);
        }
    }
}
