namespace Siamorph.Weights.PyTorch;

/// <summary>
/// What both layouts of PyTorch files have in common: interpreting the pickle, and tensors as views of storages.
/// </summary>
internal static class TorchFile
{
    /// <summary>The object a pickle makes, with the file's name in every fault.</summary>
    public static object? Interpret(string path, ReadOnlySpan<byte> program, IPickleWorld world, out int length)
    {
        try
        {
            return PickleMachine.Run(program, world, out length);
        }
        catch (PickleException e)
        {
            throw new WeightsFormatException($"{path}: {e.Message}.", e);
        }
    }

    /// <summary>The table of the tensors in an interpreted pickle.</summary>
    /// <param name="file">Is owned by the result.</param>
    /// <param name="format">Which layout.</param>
    /// <param name="root">What the pickle made.</param>
    /// <param name="world">What the pickle spoke of.</param>
    /// <param name="locate">Where a storage's bytes are.</param>
    public static WeightsFile Describe(
        WeightBytes file, WeightsFormat format, object? root, TorchPickle world, Func<TorchStorage, StoredBytes> locate)
    {
        var contents = Contents(file.Path, root);
        if (!world.HasExtras && world.Storages.Values.FirstOrDefault(s => !contents.Shown.Contains(s)) is { } unseen)
            throw new WeightsFormatException(
                $"{file.Path}: its storage '{unseen.Key}' belongs to no tensor, so the pickle is damaged. Copy or download "
                    + $"it again.");
        var entries = contents.Tensors.Select(t => Entry(t.Name, t.Tensor, locate(t.Tensor.Storage))).ToList();
        // A repeated element costs nothing in the file but its full size in memory; tied weights count once more each.
        var claimed = entries.Sum(e => (double)e.Bytes);
        if (entries.Exists(e => e.Bytes > file.Length) || claimed > 2.0 * file.Length)
            throw new WeightsFormatException(
                $"{file.Path}: its tensors claim {claimed:N0} bytes, the file has {file.Length:N0}. Don't trust it.");
        return new(file.Path, format, entries, new Dictionary<string, string>(), contents.Notes, [file]);
    }

    private static TorchContents Contents(string path, object? root)
    {
        try
        {
            return TorchContents.Of(root);
        }
        catch (PickleException e)
        {
            throw new WeightsFormatException($"{path}: {e.Message}.", e);
        }
    }

    private static WeightEntry Entry(string name, TorchTensor tensor, StoredBytes bytes)
    {
        var dtype = tensor.Storage.DType;
        if (tensor.IsContiguous) return new(name, dtype, tensor.Shape, () => bytes.Read(tensor.Offset, tensor.Shape, dtype));
        return new(name, dtype, tensor.Shape, () =>
        {
            using var reached = bytes.Read(tensor.Offset, [tensor.Span], dtype);
            using var view = reached.as_strided(tensor.Shape, tensor.Strides);
            return view.contiguous();
        });
    }
}
