namespace Siamorph.Weights.PyTorch;

/// <summary>
/// A checkpoint folder as DeepSpeed leaves it (stages 1 and 2: every rank's model states are whole). Stage 3 divides the
/// tensors among the ranks; its own zero_to_fp32.py joins them first.
/// </summary>
internal static class DeepSpeedFolder
{
    private const string States = "mp_rank_00_model_states.pt";

    /// <summary>The file with the model's tensors; null where the folder is no DeepSpeed checkpoint.</summary>
    /// <exception cref="WeightsFormatException">It is one, but divided among ranks.</exception>
    public static string? Find(string path)
    {
        string[] folders = [path, Path.Combine(path, "checkpoint"), .. Latest(path)];
        foreach (var folder in folders.Where(Directory.Exists))
        {
            if (File.Exists(Path.Combine(folder, "mp_rank_01_model_states.pt"))
                || Directory.EnumerateFiles(folder, "zero_pp_rank_*_model_states.pt").Any())
                throw new WeightsFormatException(
                    $"{path}: is a DeepSpeed checkpoint divided among ranks. Run the zero_to_fp32.py in its folder, and give the "
                        + $"file that it writes.");
            if (File.Exists(Path.Combine(folder, States))) return Path.Combine(folder, States);
        }
        return null;
    }

    public static WeightsFile Open(string path, string states)
    {
        var file = WeightsFile.Open(states);
        return new(path, WeightsFormat.DeepSpeedFolder, file.Entries, file.Metadata, file.Notes, [file]);
    }

    private static IEnumerable<string> Latest(string path)
    {
        var pointer = Path.Combine(path, "latest");
        if (!File.Exists(pointer) || new FileInfo(pointer).Length > 256) yield break;
        var name = File.ReadAllText(pointer).Trim();
        if (name.Length > 0 && name == Path.GetFileName(name)) yield return Path.Combine(path, name);
    }
}
