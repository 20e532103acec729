using Siamorph.Weights.PyTorch;

namespace Siamorph.Weights;

/// <summary>
/// Finds the weights in a folder: a diffusers pipeline or one of its models, a DeepSpeed checkpoint, or a single file.
/// </summary>
internal static class WeightsFolder
{
    /// <summary>The models of a pipeline folder that are read; each gives its name as a prefix to its tensors.</summary>
    public static readonly string[] Components = ["unet", "vae", "text_encoder", "controlnet"];

    // Best first: whole precision before half, safetensors before pickles.
    private static readonly string[] FileNames =
    [
        "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.safetensors.index.json", "model.safetensors",
        "model.safetensors.index.json",
        "diffusion_pytorch_model.fp16.safetensors", "model.fp16.safetensors", "diffusion_pytorch_model.bin",
        "diffusion_pytorch_model.bin.index.json",
        "pytorch_model.bin", "pytorch_model.bin.index.json", "diffusion_pytorch_model.fp16.bin", "pytorch_model.fp16.bin",
    ];

    /// <exception cref="WeightsFormatException">There are no weights in it, or more than one file that could be
    /// meant.</exception>
    public static WeightsFile Open(string path)
    {
        var components = Components.Where(c => FileIn(Path.Combine(path, c)) is not null).ToList();
        if (components.Count > 0) return OpenPipeline(path, components);
        if (FileIn(path) is { } file) return WeightsFile.Open(file);
        if (DeepSpeedFolder.Find(path) is { } states) return DeepSpeedFolder.Open(path, states);
        var candidates = Directory.EnumerateFiles(path)
            .Where(f => Path.GetExtension(f) is ".safetensors" or ".ckpt" or ".pth" or ".pt" or ".bin")
            .Order(StringComparer.Ordinal).ToList();
        return candidates switch
        {
            [var only] => WeightsFile.Open(only),
            [] => throw new WeightsFormatException($"{path}: {Lack(path)}."),
            _ => throw new WeightsFormatException(
                $"{path}: the folder holds {candidates.Count} weight files; name one of them: "
                    + $"{string.Join(", ", candidates.Take(5).Select(f => Path.GetFileName(f)))}."),
        };
    }

    // What a folder without weights is instead.
    private static string Lack(string path)
    {
        bool Has(string name) => File.Exists(Path.Combine(path, name));
        if (Has("model_index.json"))
            return "is a diffusers folder without its weights: unet/, vae/ and text_encoder/ need a "
                + "diffusion_pytorch_model.safetensors (text_encoder: model.safetensors) each; download it with its large files";
        if (Has("merges.txt")) return "is a tokenizer, not weights: name it with --tokenizer";
        if (Has("config.json"))
            return "has a config.json but no weights (diffusion_pytorch_model.* or model.*); download it with its large files";
        return "the folder holds no weights: neither a diffusers folder (unet/, vae/, text_encoder/), nor a run of this program, "
            + "nor a .safetensors, .ckpt, .pth or .bin file";
    }

    private static string? FileIn(string folder) =>
        !Directory.Exists(folder) ? null : FileNames.Select(n => Path.Combine(folder, n)).FirstOrDefault(File.Exists);

    private static WeightsFile OpenPipeline(string path, IReadOnlyList<string> components)
    {
        var files = new List<(string Component, WeightsFile File)>();
        try
        {
            foreach (var component in components)
                files.Add((component, WeightsFile.Open(FileIn(Path.Combine(path, component))!)));
            var entries = files.SelectMany(f => f.File.Entries.Select(e => e.As($"{f.Component}.{e.Name}"))).ToList();
            return new(path, WeightsFormat.DiffusersFolder, entries, new Dictionary<string, string>(),
                [.. files.SelectMany(f => f.File.Notes)], [.. files.Select(f => f.File)]);
        }
        catch
        {
            foreach (var (_, file) in files) file.Dispose();
            throw;
        }
    }
}
