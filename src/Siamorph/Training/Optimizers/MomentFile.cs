using Microsoft.Win32.SafeHandles;
using static TorchSharp.torch;

namespace Siamorph.Training.Optimizers;

/// <summary>A file of raw tensors at known places, all zero at first; gone when it is closed.</summary>
internal sealed class MomentFile : IDisposable
{
    private const int Chunk = 1 << 26; // elements at a time; a span counts bytes with an int

    private readonly string _path;
    private readonly SafeFileHandle _file;

    /// <param name="path">Replaced where there is one.</param>
    /// <param name="length">Bytes, which are reserved at once.</param>
    /// <exception cref="SiamorphException">It can't be made, or the disk has no room for it.</exception>
    public MomentFile(string path, long length)
    {
        _path = path;
        _file = Guarded(() =>
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            var file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose,
                preallocationSize: length);
            RandomAccess.SetLength(file, length);
            return file;
        });
    }

    /// <summary>A contiguous CPU tensor; the caller (or the dispose scope) owns it.</summary>
    public Tensor Read(long place, long[] shape, ScalarType dtype)
    {
        var tensor = empty(shape, dtype);
        Each(tensor, place, (bytes, at) =>
        {
            for (var got = 0; got < bytes.Length;)
            {
                var count = RandomAccess.Read(_file, bytes[got..], at + got);
                if (count == 0) throw new IOException("it has become shorter");
                got += count;
            }
        });
        return tensor;
    }

    /// <summary>Writes a tensor of any device and layout.</summary>
    public void Write(long place, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        Each(tensor.cpu().contiguous(), place, (bytes, at) => RandomAccess.Write(_file, bytes, at));
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private delegate void Transfer(Span<byte> bytes, long at);

    private void Each(Tensor tensor, long place, Transfer transfer)
    {
        var size = tensor.element_size();
        using var flat = tensor.view(-1);
        for (var first = 0L; first < flat.numel(); first += Chunk)
        {
            using var part = flat.narrow(0, first, Math.Min(Chunk, flat.numel() - first));
            Guarded(() =>
            {
                transfer(part.bytes, place + first * size);
                return true;
            });
        }
    }

    private T Guarded<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SiamorphException($"{_path}: the optimizer's state can't be kept there ({e.Message.TrimEnd('.')}). Free "
                + $"some space, or keep it in memory with --optimizer-state memory.", e);
        }
    }
}
