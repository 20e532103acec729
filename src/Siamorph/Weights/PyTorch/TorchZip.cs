using System.IO.Hashing;
using static TorchSharp.torch;

namespace Siamorph.Weights.PyTorch;

/// <summary>PyTorch files since 1.6: a zip archive with a pickle, and one entry for each storage.</summary>
internal static class TorchZip
{
    private const int LongestPickle = 256 << 20;

    /// <summary>Reads the pickle; storages are read when a tensor is.</summary>
    /// <exception cref="WeightsFormatException">The archive or its pickle is damaged, or asks for more than tensors.</exception>
    public static WeightsFile Open(WeightBytes file)
    {
        var records = ZipDirectory.Read(file);
        var pickle = Find(records, "data.pkl") ?? throw new WeightsFormatException(
            $"{file.Path}: is a zip archive without data.pkl, so no PyTorch file. Where weights are packed in it, unpack "
                + $"it first.");
        var folder = pickle.Name[..^"data.pkl".Length];
        if (records.FirstOrDefault(r => r.Name == folder + "byteorder") is { } order
            && Bytes(file, order).AsSpan().StartsWith("big"u8))
            throw new WeightsFormatException(
                $"{file.Path}: was written on a big-endian machine. Save it again on an ordinary one.");
        if (pickle.Length > LongestPickle) throw ZipDirectory.Damaged(file, $"its pickle claims {pickle.Length} bytes");
        var world = new TorchPickle();
        var root = TorchFile.Interpret(file.Path, Bytes(file, pickle), world, out _);
        var byName = records.ToDictionary(r => r.Name, StringComparer.Ordinal);
        var storages = world.Storages.Values.ToDictionary(s => s.Key,
            s => Located(file, s, byName.GetValueOrDefault($"{folder}data/{s.Key}")));
        return TorchFile.Describe(file, WeightsFormat.TorchZip, root, world, s => storages[s.Key]);
    }

    private static ZipRecord? Find(IReadOnlyList<ZipRecord> records, string name) =>
        records.FirstOrDefault(r => r.Name == name)
        ?? records.FirstOrDefault(r => r.Name.Count(c => c == '/') == 1 && r.Name.EndsWith("/" + name, StringComparison.Ordinal));

    private static byte[] Bytes(WeightBytes file, ZipRecord record)
    {
        var bytes = file.Read(record.Offset, (int)Math.Min(record.Length, int.MaxValue));
        var sum = new Crc32();
        sum.Append(bytes);
        ZipDirectory.Check(file, record, sum);
        return bytes;
    }

    private static StoredBytes Located(WeightBytes file, TorchStorage storage, ZipRecord? record)
    {
        if (record is null) throw ZipDirectory.Damaged(file, $"it lacks the storage '{storage.Key}'");
        if (record.Length != storage.Bytes)
            throw ZipDirectory.Damaged(file,
                $"its storage '{storage.Key}' claims {storage.Elements} elements but has {record.Length} bytes");
        return new(file, record.Offset, record.Length, sum => ZipDirectory.Check(file, record, sum));
    }
}

/// <summary>The bytes of one storage within a file; the checksum, where the format has one, is checked on first use.</summary>
internal sealed class StoredBytes(WeightBytes file, long offset, long length, Action<Crc32>? check)
{
    private bool _checked = check is null;

    /// <summary>Elements of the storage as a contiguous tensor.</summary>
    public Tensor Read(long first, long[] shape, ScalarType dtype)
    {
        var at = offset + first * SafeTensors.ElementSize(dtype);
        if (_checked) return file.ReadTensor(at, shape, dtype);
        if (at != offset || shape.Aggregate(1L, (n, d) => n * d) * SafeTensors.ElementSize(dtype) != length)
        {
            Check();
            return file.ReadTensor(at, shape, dtype);
        }
        var sum = new Crc32();
        var tensor = file.ReadTensor(at, shape, dtype, sum.Append);
        try
        {
            Accept(sum);
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    private void Check()
    {
        var sum = new Crc32();
        var buffer = new byte[Math.Min(length, 1 << 20)];
        for (var at = 0L; at < length; at += buffer.Length)
        {
            var chunk = buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - at));
            file.Read(offset + at, chunk);
            sum.Append(chunk);
        }
        Accept(sum);
    }

    private void Accept(Crc32 sum)
    {
        check!(sum);
        _checked = true;
    }
}
