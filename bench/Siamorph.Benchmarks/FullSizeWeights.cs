using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Siamorph.Siamese;
using Siamorph.Tests.Weights;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Benchmarks;

/// <summary>
/// Files of Stable Diffusion 1.5's size with seeded random numbers, and what loading them costs. Not benchmarks but single
/// runs, each in a process of its own so that its peak memory means something:
/// <code>
/// Siamorph.Benchmarks weights write FOLDER      (13 GB: original and diffusers layout, single and half precision)
/// Siamorph.Benchmarks weights load FILE|FOLDER  (time, peak memory, and a hash that is equal for all four)
/// </code>
/// </summary>
internal static class FullSizeWeights
{
    private static readonly CheckpointPart[] Parts = [CheckpointPart.UNet, CheckpointPart.Autoencoder, CheckpointPart.TextEncoder];

    public static int Run(string[] arguments)
    {
        switch (arguments)
        {
            case ["weights", "write", var folder]: Write(folder); return 0;
            case ["weights", "load", var path]: Load(path); return 0;
            default: Console.Error.WriteLine("weights write FOLDER | weights load PATH"); return 2;
        }
    }

    private static void Write(string folder)
    {
        var single = Random();
        Timed("original, single, .ckpt", () => TorchFileWriter.WriteZip(
            Make(folder, "original-f32.ckpt"), single, (pickle, stateDict) => pickle.Dict(("state_dict", _ => stateDict()), ("global_step", w => w.Number(840000)))));
        Timed("original, half, .safetensors", () => SafeTensors.Write(Make(folder, "original-f16.safetensors"), Half(single)));
        var checkpoint = DiffusionCheckpoint.Of(single);
        foreach (var part in Parts)
        {
            var (name, stem) = part switch
            {
                CheckpointPart.UNet => ("unet", "diffusion_pytorch_model"), CheckpointPart.Autoencoder => ("vae", "diffusion_pytorch_model"), _ => ("text_encoder", "model"),
            };
            var table = checkpoint.InDiffusersLayout(part);
            Timed($"diffusers, single, {name}", () => SafeTensors.Write(Make(folder, $"diffusers-f32/{name}/{stem}.safetensors"), table));
            var bin = stem == "model" ? "pytorch_model" : stem;
            Timed($"diffusers, half, {name}", () => TorchFileWriter.WriteZip(Make(folder, $"diffusers-f16/{name}/{bin}.bin"), Half(table)));
        }
    }

    private static void Load(string path)
    {
        var tensors = new SortedDictionary<string, Tensor>(StringComparer.Ordinal);
        var before = ProcessMemory.Peak();
        var watch = Stopwatch.StartNew();
        using (var file = WeightsFile.Open(path))
        {
            Console.WriteLine($"opened in {watch.ElapsedMilliseconds} ms");
            foreach (var entry in DiffusionCheckpoint.Of(file).Weights.Entries) tensors[entry.Name] = entry.Read(entry.DType == ScalarType.Int64 ? null : ScalarType.Float32);
        }
        var seconds = watch.Elapsed.TotalSeconds;
        var kept = tensors.Values.Sum(t => t.numel() * t.element_size());
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{tensors.Count} tensors, {kept / 1048576.0:N0} MiB kept, loaded in {seconds:0.0} s, peak memory {ProcessMemory.Peak():N0} MiB ({before:N0} before)"));
        Console.WriteLine($"SHA-256 of the networks' tensors {Hash(tensors)}");
    }

    // The schedule is not among diffusers' weights.
    private static string Hash(SortedDictionary<string, Tensor> tensors)
    {
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, tensor) in tensors)
        {
            if (DiffusionCheckpoint.ScheduleNames.Contains(name)) continue;
            sum.AppendData(System.Text.Encoding.UTF8.GetBytes($"{name} {tensor.dtype} {string.Join(",", tensor.shape)}\n"));
            sum.AppendData(tensor.bytes);
        }
        return Convert.ToHexString(sum.GetHashAndReset());
    }

    // Every value is one that half precision knows, so that all files hold the same numbers.
    private static WeightTable Random() => new(CheckpointKeys.Of("sd15")
        .Where(k => !k.Name.StartsWith("control_model.", StringComparison.Ordinal) && k.Name != "logvar")
        .Select(k => new WeightEntry(k.Name, k.DType, k.Shape, () => Values(k))));

    private static Tensor Values(CheckpointKey key)
    {
        if (key.DType == ScalarType.Int64) return arange(key.Shape[^1], dtype: int64).unsqueeze(0);
        using var generator = new Seed(15).Derive(key.Name).Generator();
        using var scope = NewDisposeScope();
        return (rand([.. key.Shape], generator: generator) - 0.5).to(float16).to(float32).MoveToOuterDisposeScope();
    }

    private static WeightTable Half(WeightTable table) => new(table.Entries.Select(e => e.In(ScalarType.Float16)));

    private static string Make(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    private static void Timed(string what, Action write)
    {
        var watch = Stopwatch.StartNew();
        write();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: written in {watch.Elapsed.TotalSeconds:0.0} s"));
    }
}
