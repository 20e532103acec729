using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Siamorph.Siamese.WeightFiles;
using Siamorph.Tests.Weights;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Benchmarks;

/// <summary>
/// Files of Stable Diffusion 1.5's size with seeded random numbers, and what loading them costs. Not benchmarks but single
/// runs, each in a process of its own so that its peak memory means something:
/// <code>
/// Siamorph.Benchmarks weights write KIND PATH   (KIND such as original-f32.ckpt or diffusers-f16.safetensors; 4.3 or 2.1 GB)
/// Siamorph.Benchmarks weights load PATH         (time, peak memory, and a hash of all tensors in single precision)
/// </code>
/// </summary>
internal static class FullSizeWeights
{
    private static readonly (CheckpointPart Part, string Folder, string Stem)[] Parts =
    [
        (CheckpointPart.UNet, "unet", "diffusion_pytorch_model"), (CheckpointPart.Autoencoder, "vae", "diffusion_pytorch_model"),
        (CheckpointPart.TextEncoder, "text_encoder", "model"),
    ];

    private static readonly string[] Kinds =
        [.. from layout in new[] { "original", "diffusers" } from type in new[] { "f32",
        "f16" } from ending in new[] { "safetensors", "ckpt" } select $"{layout}-{type}.{ending}"];

    public static int Run(string[] arguments)
    {
        switch (arguments)
        {
            case ["weights", "write", var kind, var path] when Kinds.Contains(kind): Write(kind, path); return 0;
            case ["weights", "load", var path]: Load(path); return 0;
            default: Console.Error.WriteLine(
                $"weights write KIND PATH | weights load PATH; KIND is one of {string.Join(", ", Kinds)}"); return 2;
        }
    }

    private static void Write(string kind, string path)
    {
        var watch = Stopwatch.StartNew();
        var (half, pickled) = (kind.Contains("f16", StringComparison.Ordinal), kind.EndsWith(".ckpt", StringComparison.Ordinal));
        var table = half ? Half(Random()) : Random();
        if (kind.StartsWith("original", StringComparison.Ordinal)) WriteFile(path, table, pickled);
        else
        {
            var checkpoint = DiffusionCheckpoint.Of(table);
            foreach (var (part, folder, stem) in Parts)
            {
                var name = pickled ? $"{(stem == "model" ? "pytorch_model" : stem)}.bin" : $"{stem}.safetensors";
                WriteFile(Path.Combine(path, folder, name), checkpoint.InDiffusersLayout(part), pickled);
            }
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{kind}: written in {watch.Elapsed.TotalSeconds:0.0} s, peak memory {ProcessMemory.Peak():N0} MiB"));
    }

    private static void WriteFile(string path, WeightTable table, bool pickled)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        if (pickled) TorchFileWriter.WriteZip(path, table,
            (pickle, stateDict) => pickle.Dict(("state_dict", _ => stateDict()), ("global_step", w => w.Number(840000))));
        else SafeTensors.Write(path, table);
    }

    private static void Load(string path)
    {
        var tensors = new SortedDictionary<string, Tensor>(StringComparer.Ordinal);
        var before = ProcessMemory.Peak();
        var watch = Stopwatch.StartNew();
        using (var file = WeightsFile.Open(path))
        {
            Console.WriteLine($"opened in {watch.ElapsedMilliseconds} ms");
            foreach (var entry in DiffusionCheckpoint.Of(file).Weights.Entries)
                tensors[entry.Name] = entry.Read(entry.DType == ScalarType.Int64 ? null : ScalarType.Float32);
        }
        var seconds = watch.Elapsed.TotalSeconds;
        var kept = tensors.Values.Sum(t => t.numel() * t.element_size());
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{tensors.Count} tensors, {kept / 1048576.0:N0} MiB kept, loaded in {seconds:0.0} s, peak memory "
                + $"{ProcessMemory.Peak():N0} MiB ({before:N0} before)"));
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
}
