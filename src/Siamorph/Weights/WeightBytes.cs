using Microsoft.Win32.SafeHandles;
using static TorchSharp.torch;

namespace Siamorph.Weights;

/// <summary>
/// The bytes of a weight file, read where they are asked for and straight into a tensor's memory: nothing is held but
/// what is kept, and a file that shrinks while it is read is an error, where a mapped one would end the process.
/// </summary>
internal sealed class WeightBytes : IDisposable
{
    private const int Chunk = 1 << 22;

    private readonly SafeFileHandle _handle;

    private WeightBytes(SafeFileHandle handle, string path) =>
        (_handle, Path, Length) = (handle, path, RandomAccess.GetLength(handle));

    public string Path { get; }

    public long Length { get; }

    public static WeightBytes Open(string path)
    {
        try
        {
            return new(File.OpenHandle(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new WeightsFormatException($"{path}: can't be opened ({e.Message.TrimEnd('.')}).", e);
        }
    }

    /// <summary>Fills the whole span.</summary>
    public void Read(long offset, Span<byte> into)
    {
        if (offset < 0 || into.Length > Length - offset)
            throw new WeightsFormatException(
                $"{Path}: is cut off: {into.Length} bytes are due at {offset}, it has {Length}. Copy or download it again.");
        while (into.Length > 0)
        {
            var got = ReadSome(offset, into);
            if (got == 0) throw new WeightsFormatException(
                $"{Path}: became shorter while it was read, at byte {offset}. Try again once it is whole.");
            offset += got;
            into = into[got..];
        }
    }

    public byte[] Read(long offset, int count)
    {
        if (count > Length - offset) count = (int)Math.Max(0, Length - offset);
        var bytes = new byte[count];
        Read(offset, bytes);
        return bytes;
    }

    /// <summary>A contiguous tensor whose bytes lie at an offset.</summary>
    /// <param name="offset">Where its first byte is.</param>
    /// <param name="shape">Sizes; the bytes must lie within the file.</param>
    /// <param name="dtype">Element type.</param>
    /// <param name="seen">Gets every chunk once it is read, in order.</param>
    public Tensor ReadTensor(long offset, long[] shape, ScalarType dtype, Action<ReadOnlySpan<byte>>? seen = null)
    {
        var size = SafeTensors.ElementSize(dtype);
        var elements = shape.Aggregate(1L, (n, d) => checked(n * d));
        if (offset < 0 || elements > (Length - offset) / size)
            throw new WeightsFormatException(
                $"{Path}: is cut off: {elements} elements are due at byte {offset}, it has {Length}. Copy or download it again.");
        var tensor = empty(shape, dtype);
        try
        {
            if (elements > 0) Fill(tensor, offset, size, seen);
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    public void Dispose() => _handle.Dispose();

    private void Fill(Tensor tensor, long offset, int size, Action<ReadOnlySpan<byte>>? seen)
    {
        const long longest = 1 << 30; // a span counts bytes with an int
        using var flat = tensor.view(-1);
        for (var first = 0L; first < flat.numel(); first += longest / size)
        {
            using var part = flat.narrow(0, first, Math.Min(longest / size, flat.numel() - first));
            var bytes = part.bytes;
            for (var at = 0; at < bytes.Length; at += Chunk)
            {
                var chunk = bytes.Slice(at, Math.Min(Chunk, bytes.Length - at));
                Read(offset + first * size + at, chunk);
                seen?.Invoke(chunk);
            }
        }
    }

    private int ReadSome(long offset, Span<byte> into)
    {
        try
        {
            return RandomAccess.Read(_handle, into, offset);
        }
        catch (IOException e)
        {
            throw new WeightsFormatException($"{Path}: can't be read at byte {offset} ({e.Message.TrimEnd('.')}).", e);
        }
    }
}
