using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Siamorph.Data;

namespace Siamorph.Experiment;

/// <summary>SHA-256 of what pairs contain, wherever their files lie; lower-case hexadecimal.</summary>
internal static class ContentHash
{
    /// <summary>The hash of a text in UTF-8.</summary>
    public static string Of(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>The hash of each pair: id, prompt, and the bytes of the image and of all its masks.</summary>
    /// <exception cref="InvalidDatasetException">A file can't be read.</exception>
    public static IReadOnlyDictionary<string, string> OfEach(IReadOnlyList<ImageMaskPair> pairs, IMonitor monitor)
    {
        var hashes = new ConcurrentDictionary<string, string>();
        var options = new ParallelOptions { CancellationToken = monitor.Cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount };
        try
        {
            Parallel.ForEach(pairs, options, pair =>
                hashes[pair.Id] = Of($"{pair.Id}\n{pair.Prompt}\n{OfFile(pair.ImagePath)}\n{string.Join('\n', PairFiles.MaskPaths(pair).Select(OfFile))}"));
        }
        catch (AggregateException e) when (e.InnerException is InvalidDatasetException first)
        {
            throw new InvalidDatasetException(first.Message, first);
        }
        return hashes;
    }

    /// <summary>The hash of a list, given the hash of each pair; the order counts.</summary>
    public static string OfList(IEnumerable<ImageMaskPair> pairs, IReadOnlyDictionary<string, string> hashes)
        => Of(string.Join('\n', pairs.Select(p => hashes[p.Id])));

    /// <summary>The hash of a file's bytes.</summary>
    /// <exception cref="InvalidDatasetException">It can't be read.</exception>
    public static string OfFile(string path)
    {
        try
        {
            return Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDatasetException($"{path}: can't be read ({e.Message.TrimEnd('.')}). Restore it or remove the pair.", e);
        }
    }
}
