using System.Security.Cryptography;
using System.Text;

namespace Siamorph.Data;

/// <summary>SHA-256 of what pairs contain, wherever their files lie; lower-case hexadecimal.</summary>
internal static class ContentHash
{
    /// <summary>The hash of a text in UTF-8.</summary>
    public static string Of(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>The hash of bytes.</summary>
    public static string OfBytes(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>The hash of each pair: id, prompt, and the bytes of the image and of all its masks.</summary>
    /// <exception cref="InvalidDatasetException">A file can't be read.</exception>
    public static IReadOnlyDictionary<string, string> OfEach(IReadOnlyList<ImageMaskPair> pairs, IMonitor monitor)
    {
        var hashes = InOrder(pairs, monitor);
        return Enumerable.Range(0, pairs.Count).GroupBy(i => pairs[i].Id).ToDictionary(g => g.Key, g => hashes[g.Last()]);
    }

    /// <summary>The same in the order of the pairs.</summary>
    /// <exception cref="InvalidDatasetException">A file can't be read.</exception>
    public static IReadOnlyList<string> InOrder(IReadOnlyList<ImageMaskPair> pairs, IMonitor monitor)
    {
        var hashes = new string[pairs.Count];
        var options = new ParallelOptions
        {
            CancellationToken = monitor.Cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount,
        };
        try
        {
            Parallel.For(0, pairs.Count, options, i => hashes[i] = OfPair(pairs[i]));
        }
        catch (AggregateException e) when (e.InnerException is InvalidDatasetException first)
        {
            throw new InvalidDatasetException(first.Message, first);
        }
        return hashes;
    }

    private static string OfPair(ImageMaskPair pair) =>
        Of($"{pair.Id}\n{pair.Prompt}\n{OfFile(pair.ImagePath)}\n"
        + $"{string.Join('\n', PairFiles.MaskPaths(pair).Concat(pair.MoreMaskPaths).Where(m => m.Length > 0).Select(OfFile))}");

    /// <summary>The hash of a list, given the hash of each pair; the order counts.</summary>
    public static string OfList(IEnumerable<ImageMaskPair> pairs, IReadOnlyDictionary<string, string> hashes)
        => Of(string.Join('\n', pairs.Select(p => hashes[p.Id])));

    /// <summary>The hash of a file's bytes.</summary>
    /// <exception cref="InvalidDatasetException">It can't be read.</exception>
    public static string OfFile(string path)
    {
        try
        {
            return Convert.ToHexStringLower(Digest(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDatasetException(
                $"{path}: can't be read ({e.Message.TrimEnd('.')}). Restore it or remove the pair.", e);
        }
    }

    private static byte[] Digest(string path)
    {
        using var file = File.OpenRead(path);
        return SHA256.HashData(file);
    }
}
