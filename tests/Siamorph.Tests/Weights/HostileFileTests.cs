using System.Buffers.Binary;
using System.Text;
using Siamorph.Weights;

namespace Siamorph.Tests.Weights;

/// <summary>Files made to run code, to exhaust the memory, or to lie: one clear error each, at little cost.</summary>
public sealed class HostileFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("posix", "system")]
    [InlineData("os", "system")]
    [InlineData("builtins", "eval")]
    [InlineData("__builtin__", "getattr")]
    [InlineData("subprocess", "Popen")]
    [InlineData("torch", "load")]
    [InlineData("torch.storage", "_load_from_bytes")]
    [InlineData("torch.hub", "load")]
    public void PickleThatCalls_IsRefused_AndNothingRuns(string module, string name)
    {
        var proof = _folder["proof"];
        var pickle = new PickleWriter().Global(module, name).Op('(').Text($"touch {proof}").Op('t').Op('R').Stop();
        Refused(pickle, $"'{module}.{name}'");
        // The same name built on the stack, as newer protocols do, and hidden beside real weights.
        Refused(new PickleWriter().Text(module).Text(name).Op('\x93').Op('(').Text($"touch {proof}").Op('t').Op('R').Stop(),
            $"'{module}.{name}'");
        Refused(new PickleWriter().Dict(("a", w => w.Tensor("FloatStorage", "0", 1, 0, [1], [1])),
            ("b", w => w.Global(module, name))).Stop(), $"'{module}.{name}'");
        Assert.False(File.Exists(proof));
    }

    [Fact]
    public void RecursiveStructures_AreRefused()
    {
        Refused(new PickleWriter().Op('}').Op('q', 0).Text("self").Op('h', 0).Op('s').Stop(), "contains itself");
        Refused(new PickleWriter().Op(']').Op('q', 0).Op('h', 0).Op('a').Stop(), "contains itself");
        Refused(new PickleWriter().Op('}').Op('q', 0).Text("a").Op(']').Op('h', 0).Op('a').Op('s').Stop(), "contains itself");
    }

    [Fact]
    public void DeepAndRepeatedNesting_AreRefused()
    {
        var deep = new PickleWriter();
        for (var i = 0; i < 100_000; i++) deep.Op(']');
        for (var i = 1; i < 100_000; i++) deep.Op('a');
        Refused(deep.Stop(), "deeper than");

        Refused(Laughs(w => w.Op(']')), "holds no tensors");
        Refused(Laughs(w => w.Op(']').Tensor("FloatStorage", "0", 4, 0, [4], [1]).Op('a')), "more than 8 times");
    }

    // Each list holds the one before ten times.
    private static byte[] Laughs(Action<PickleWriter> seed)
    {
        var laughs = new PickleWriter();
        seed(laughs);
        laughs.Op('q', 0).Op('0');
        for (var i = 1; i < 40; i++)
        {
            laughs.Op(']').Op('q', (byte)i);
            for (var j = 0; j < 10; j++) laughs.Op('h', (byte)(i - 1)).Op('a');
            laughs.Op('0');
        }
        return laughs.Op('h', 39).Stop();
    }

    [Theory]
    [InlineData(1L << 60, 1L << 60, 1)] // tensor and storage both
    [InlineData(1L << 60, 4, 0)] // a small storage, repeated
    [InlineData(1L << 60, 4, 1)]
    [InlineData(long.MaxValue, 4, 1)]
    [InlineData(-1, 4, 1)]
    [InlineData(2, 4, long.MaxValue)]
    [InlineData(2, 4, -1)]
    public void ImpossibleSizes_AreRefused(long size, long elements, long stride) =>
        Refused(new PickleWriter().Dict(("a", w => w.Tensor("FloatStorage", "0", elements, 0, [size], [stride]))).Stop());

    [Fact]
    public void ImpossibleProducts_AreRefused()
    {
        Refused(new PickleWriter().Dict(
            ("a", w => w.Tensor("FloatStorage", "0", 4, 0, [1L << 32, 1L << 32], [1L << 32, 1]))).Stop());
        Refused(new PickleWriter().Dict(("a", w => w.Tensor("FloatStorage", "0", 4, 0, [1L << 32, 1L << 32], [0, 0]))).Stop());
        Refused(new PickleWriter().Dict(("a", w => w.Tensor("FloatStorage", "0", 4, 3, [2], [1]))).Stop(), "beyond its storage");
        Refused(new PickleWriter().Dict(("a", w => w.Tensor("FloatStorage", "9", 4, 0, [4], [1]))).Stop(),
            "lacks the storage '9'");
        Refused(new PickleWriter().Op('X', 0xFF, 0xFF, 0xFF, 0x7F).Stop(), "more than there are");
        Refused(new PickleWriter().Op('\x8d', 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF).Stop(), "more than there are");
    }

    [Theory]
    [InlineData(100_000_000L, "claims a header of 100000000 bytes, the file has")]
    [InlineData(100_000_001L, "more than the format allows")]
    [InlineData(long.MaxValue, "more than the format allows")]
    [InlineData(-1L, "more than the format allows")]
    public void SafeTensorsHeaderLength_IsNotBelieved(long length, string expected)
    {
        var bytes = new byte[64];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, length);
        bytes[8] = (byte)'{';
        RefusedFile("h.safetensors", bytes, expected);
    }

    [Theory]
    [InlineData("[0,4]", "[2,6]", 8, "begins at byte")] // overlap
    [InlineData("[0,4]", "[8,12]", 12, "begins at byte")] // hole
    [InlineData("[0,4]", "[4,8]", 4, "ends at byte")] // out of bounds
    [InlineData("[0,4]", "[4,8]", 16, "after its last tensor")]
    [InlineData("[-4,0]", "[0,4]", 4, "needs 4 bytes")] // negative offset
    [InlineData("[4,0]", "[0,4]", 4, "needs 4 bytes")]
    public void SafeTensorsExtents_AreChecked(string first, string second, int data, string expected)
    {
        var header = $"{{\"a\":{{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":"
            + $"{first}}},\"b\":{{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":{second}}}}}";
        RefusedFile("s.safetensors", SafeTensorsFile(header, data), expected);
    }

    [Theory]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", "impossible shape")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\""
        + "data_offsets\":[0,4]}}", "can't be read")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1152921504606846976],\"data_offsets\":[0,4]}}", "")]
    public void SafeTensorsEntries_AreChecked(string header, string expected) =>
        RefusedFile("e.safetensors", SafeTensorsFile(header, 4), expected);

    private static byte[] SafeTensorsFile(string header, int data)
    {
        var bytes = new byte[8 + header.Length + data];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, header.Length);
        Encoding.ASCII.GetBytes(header, bytes.AsSpan(8));
        return bytes;
    }

    // In both layouts of PyTorch files; the storage '0' has 16 bytes.
    private void Refused(byte[] pickle, string expected = "")
    {
        TorchFileWriter.WriteRawZip(_folder["hostile.ckpt"], pickle, ("0", new byte[16]));
        RefusedFile("hostile.ckpt", null, expected);
        byte[] before = [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, (byte)'.', 0x80, 2,
            (byte)'M', 0xE9, 0x03, (byte)'.'];
        byte[] system = new PickleWriter().Dict(("little_endian", w => w.Bool(true))).Stop();
        byte[] keys = new PickleWriter().Op(']').Text("0").Op('a').Stop();
        RefusedFile("hostile.pth", [.. before, .. system, .. pickle, .. keys, 4, 0, 0, 0, 0, 0, 0, 0, .. new byte[16]], "");
    }

    // What the reader allocates is bounded by what the file has, not by what it claims.
    private void RefusedFile(string name, byte[]? bytes, string expected)
    {
        if (bytes is not null) File.WriteAllBytes(_folder[name], bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var fault = Assert.Throws<WeightsFormatException>(() => WeightsFile.Open(_folder[name]).Dispose());
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Contains(name, fault.Message, StringComparison.Ordinal);
        Assert.Contains(expected, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault.Message);
        var most = (1 << 19) + 512 * new FileInfo(_folder[name]).Length;
        Assert.True(allocated < most, $"{allocated} bytes for a file of {new FileInfo(_folder[name]).Length}");
    }
}
