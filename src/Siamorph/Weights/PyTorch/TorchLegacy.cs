using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;

namespace Siamorph.Weights.PyTorch;

/// <summary>
/// PyTorch files before 1.6: pickles of a magic number, a protocol number, facts of the system, the objects and the keys
/// of the storages, one behind the other; then, for each key, the number of elements and the elements.
/// </summary>
internal static class TorchLegacy
{
    private const int LongestPickle = 256 << 20;

    private static readonly BigInteger Magic =
        BigInteger.Parse("1950a86a20f9469cfc6c", NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    /// <summary>Reads the pickles and where the storages are.</summary>
    /// <exception cref="WeightsFormatException">The file is cut off or damaged, or asks for more than tensors.</exception>
    public static WeightsFile Open(WeightBytes file)
    {
        var head = file.Read(0, (int)Math.Min(file.Length, LongestPickle));
        var world = new TorchPickle();
        var at = 0;
        object? Next()
        {
            var value = TorchFile.Interpret(file.Path, head.AsSpan(at), world, out var length);
            at += length;
            return value;
        }

        if (Next() is not BigInteger magic || magic != Magic)
            throw new WeightsFormatException(
                $"{file.Path}: is a pickle, but none that PyTorch wrote as weights. Save the state_dict with torch.save, or as "
                    + $"safetensors.");
        if (Next() is not long and 1001) throw Damaged(file, "it has an unknown protocol number");
        if (Next() is not PickleDict system || system["little_endian"] is not true)
            throw Damaged(file, "it was not written on a little-endian machine");
        var root = Next();
        if (world.Storages.Count == 0) throw new WeightsFormatException($"{file.Path}: the pickle holds no tensors.");
        if (Next() is not PickleList keys) throw Damaged(file, "its list of storages is missing");
        var places = Places(file, world, keys, at);
        return TorchFile.Describe(file, WeightsFormat.TorchLegacy, root, world, s => places[s.Key]);
    }

    private static Dictionary<string, StoredBytes> Places(WeightBytes file, TorchPickle world, PickleList keys, long at)
    {
        var places = new Dictionary<string, StoredBytes>();
        Span<byte> count = stackalloc byte[8];
        foreach (var key in keys.Items)
        {
            if (key is not string name || !world.Storages.TryGetValue(name, out var storage))
                throw Damaged(file, "its list of storages names one that no tensor uses");
            file.Read(at, count);
            at += count.Length;
            var elements = BinaryPrimitives.ReadInt64LittleEndian(count);
            if (elements != storage.Elements)
                throw Damaged(file, $"its storage '{name}' has {elements} elements where {storage.Elements} were announced");
            if (storage.Bytes > file.Length - at)
                throw Damaged(file, $"its storage '{name}' lacks {storage.Bytes - (file.Length - at)} of its {storage.Bytes} "
                    + $"bytes, so it is cut off");
            if (!places.TryAdd(name, new(file, at, storage.Bytes, null)))
                throw Damaged(file, $"its storage '{name}' is listed twice");
            at += storage.Bytes;
        }
        if (places.Count != world.Storages.Count) throw Damaged(file, "its list of storages is incomplete");
        if (at != file.Length) throw Damaged(file, $"has {file.Length - at} bytes after its last storage");
        return places;
    }

    private static WeightsFormatException Damaged(WeightBytes file, string finding) =>
        new($"{file.Path}: not a whole PyTorch file: {finding}. Copy or download it again.");
}
