using System.Text;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests.Weights;

/// <summary>
/// 10,000 damaged files of each format: an error that names the file, or the right numbers; never anything else.
/// </summary>
public sealed class MutationTests : IDisposable
{
    private const int Mutations = 10_000;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("safetensors", 1)]
    [InlineData("zip", 2)]
    [InlineData("legacy", 3)]
    public void DamagedFile_GivesAnError_OrTheRightNumbers(string format, int seed)
    {
        using var scope = NewDisposeScope();
        var tensors = SampleWeights.Few();
        SampleWeights.Write(format, _folder["whole"], WeightTable.Of(tensors));
        var whole = File.ReadAllBytes(_folder["whole"]);
        var contents = tensors.ToDictionary(t => t.Key, t => new Content(t.Value));
        foreach (var content in contents.Values) content.Place = whole.AsSpan().IndexOf(content.Bytes);
        var random = new Random(seed);
        var refused = 0;
        for (var i = 0; i < Mutations; i++)
        {
            var damaged = Damage(whole, random);
            if (damaged.AsSpan().SequenceEqual(whole)) continue;
            if (!IsRefused(damaged, out var read))
                AssertRight(contents, read, damaged, whole, checksummed: format == "zip", $"mutation {i}");
            else refused++;
        }
        Assert.InRange(refused, Mutations / 10, Mutations);
    }

    [Fact]
    public void DamagedIndex_GivesAnError_OrTheRightNumbers()
    {
        using var scope = NewDisposeScope();
        var tensors = SampleWeights.Few();
        SampleWeights.Write("safetensors", _folder["shard.safetensors"], WeightTable.Of(tensors));
        var index = Encoding.UTF8.GetBytes(
            $"{{\"weight_map\":{{{string.Join(",", tensors.Keys.Select(k => $"\"{k}\":\"shard.safetensors\""))}}}}}");
        var random = new Random(4);
        var refused = 0;
        for (var i = 0; i < Mutations; i++)
        {
            File.WriteAllBytes(_folder["w.index.json"], Damage(index, random));
            try
            {
                using var file = WeightsFile.Open(_folder["w.index.json"]);
                foreach (var entry in file.Entries)
                {
                    using var read = entry.Read();
                    Assert.True(tensors[entry.Name].equal(read).all().item<bool>(), $"mutation {i}: {entry.Name}");
                }
            }
            catch (WeightsFormatException e)
            {
                Assert.Contains("w.index.json", e.Message, StringComparison.Ordinal);
                refused++;
            }
        }
        Assert.InRange(refused, Mutations / 10, Mutations);
    }

    private bool IsRefused(byte[] bytes, out Dictionary<string, Content> read)
    {
        read = [];
        File.WriteAllBytes(_folder["damaged"], bytes);
        try
        {
            using var file = WeightsFile.Open(_folder["damaged"]);
            foreach (var entry in file.Entries)
            {
                using var tensor = entry.Read();
                read[entry.Name] = new(tensor);
            }
            return false;
        }
        catch (WeightsFormatException e)
        {
            Assert.Contains("damaged", e.Message, StringComparison.Ordinal);
            return true;
        }
    }

    // Zip archives carry checksums: what is read must be the original. The others have none: a tensor that still has its
    // name, type and shape must hold what the file has in its place, and no tensor may have vanished.
    private static void AssertRight(
        Dictionary<string, Content> original, Dictionary<string, Content> read, byte[] damaged, byte[] whole, bool checksummed,
        string what)
    {
        Assert.True(original.Count == read.Count, $"{what}: {read.Count} tensors");
        foreach (var (name, content) in original)
        {
            if (!read.TryGetValue(name, out var found) || found.Type != content.Type || !found.Shape.SequenceEqual(content.Shape))
                Assert.False(checksummed, $"{what}: {name} is another");
            else if (checksummed || damaged.Length != whole.Length)
                Assert.True(found.Bytes.AsSpan().SequenceEqual(content.Bytes), $"{what}: {name} differs");
            else
                Assert.True(found.Bytes.AsSpan().SequenceEqual(damaged.AsSpan(content.Place, content.Bytes.Length)),
                    $"{what}: {name} was read elsewhere");
        }
    }

    private static byte[] Damage(byte[] whole, Random random)
    {
        var bytes = whole.ToList();
        for (var times = random.Next(1, 4); times > 0; times--)
        {
            var at = random.Next(bytes.Count);
            var length = Math.Min(random.Next(1, 9), bytes.Count - at);
            switch (random.Next(8))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes.RemoveRange(at, length); break;
                case 3: bytes.InsertRange(at, Enumerable.Range(0, length).Select(_ => (byte)random.Next(256))); break;
                case 4: bytes.RemoveRange(at, bytes.Count - at); break;
                case 5: for (var i = 0; i < length; i++) bytes[at + i] = (byte)(random.Next(2) * 255); break;
                case 6: bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length)); break;
                default: bytes[at] = whole[random.Next(whole.Length)]; break;
            }
            if (bytes.Count == 0) break;
        }
        return [.. bytes];
    }

    private sealed class Content(Tensor tensor)
    {
        public ScalarType Type { get; } = tensor.dtype;

        public long[] Shape { get; } = tensor.shape;

        public byte[] Bytes { get; } = tensor.numel() == 0 ? [] : [.. tensor.contiguous().bytes];

        public int Place { get; set; }
    }
}
