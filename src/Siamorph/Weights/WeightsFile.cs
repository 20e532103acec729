using Siamorph.Weights.PyTorch;

namespace Siamorph.Weights;

/// <summary>How weights are stored.</summary>
internal enum WeightsFormat
{
    /// <summary>One safetensors file.</summary>
    SafeTensors,

    /// <summary>A PyTorch zip archive (.ckpt, .pth, .bin since PyTorch 1.6).</summary>
    TorchZip,

    /// <summary>A PyTorch file in the layout before 1.6.</summary>
    TorchLegacy,

    /// <summary>Several files with an index.</summary>
    Sharded,

    /// <summary>A folder in the diffusers layout.</summary>
    DiffusersFolder,

    /// <summary>A DeepSpeed checkpoint folder.</summary>
    DeepSpeedFolder,
}

/// <summary>
/// The one door to stored weights of every kind: safetensors (single, or sharded by an index), PyTorch files (zip and
/// legacy layout, read without executing anything), diffusers folders and DeepSpeed exports. Opening reads names, types
/// and shapes; values are read tensor by tensor.
/// </summary>
/// <example>
/// <code>
/// using var file = WeightsFile.Open(path);
/// StateDict.Apply(network, file.Under("encoder."), path);           // tensor by tensor, converted to the network's type
/// using var kernel = file.Read("conv1.weight", ScalarType.Float32); // or one by one
/// </code>
/// </example>
internal sealed class WeightsFile : WeightTable, IDisposable
{
    private readonly IReadOnlyList<IDisposable> _owned;

    internal WeightsFile(
        string path, WeightsFormat format, IEnumerable<WeightEntry> entries, IReadOnlyDictionary<string, string> metadata,
        IReadOnlyList<string> notes, IReadOnlyList<IDisposable> owned) : base(entries) =>
        (Path, Format, Metadata, Notes, _owned) = (path, format, metadata, notes, owned);

    /// <summary>The file or folder that was opened.</summary>
    public string Path { get; }

    /// <summary>How it is stored.</summary>
    public WeightsFormat Format { get; }

    /// <summary>Free text the writer left, by key.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>What was passed over or renamed on opening, such as optimizer states or a "module." prefix.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Opens a file or folder and reads which tensors it holds.</summary>
    /// <param name="path">A .safetensors, .ckpt, .pth, .pt or .bin file, an *.index.json, or a folder of such.</param>
    /// <exception cref="WeightsFormatException">It is missing, cut off, damaged, or none of the formats; the message says
    /// which.</exception>
    public static WeightsFile Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (Directory.Exists(path)) return WeightsFolder.Open(path);
        if (path.EndsWith(".index.json", StringComparison.OrdinalIgnoreCase)) return ShardIndex.Open(path);
        var bytes = WeightBytes.Open(path);
        try
        {
            return FileKind.Of(bytes) switch
            {
                WeightsFormat.TorchZip => TorchZip.Open(bytes),
                WeightsFormat.TorchLegacy => TorchLegacy.Open(bytes),
                _ => SafeTensors.Open(bytes),
            };
        }
        catch
        {
            bytes.Dispose();
            throw;
        }
    }

    /// <summary>Closes the file. Tensors that were read stay; entries can't be read any more.</summary>
    public void Dispose()
    {
        foreach (var owned in _owned) owned.Dispose();
    }
}
