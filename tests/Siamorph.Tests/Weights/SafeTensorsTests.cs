using System.Buffers.Binary;
using System.Text;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests.Weights;

public sealed class SafeTensorsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("siamorph-safetensors-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void WrittenTensors_ReadBackEqual_InEveryType()
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>
        {
            ["half"] = arange(6).to(float16).view(2, 3), ["brain"] = arange(5).to(bfloat16),
            ["single"] = arange(24, dtype: float32).view(2, 3, 4),
            ["double"] = tensor(Math.PI), ["long"] = tensor(new[] { long.MinValue, 7 }), ["byte"] = arange(3).to(uint8),
            ["none"] = empty(0, 4), ["strided"] = arange(6, dtype: float32).view(2, 3).t(),
        };
        SafeTensors.Write(In("a.safetensors"), tensors, new Dictionary<string, string> { ["what"] = "a test" });
        var read = SafeTensors.Read(In("a.safetensors"));
        Assert.Equal(tensors.Keys.Order(), read.Keys.Order());
        foreach (var (name, value) in tensors)
        {
            Assert.Equal(value.dtype, read[name].dtype);
            Assert.Equal(value.shape, read[name].shape);
            Assert.True(value.numel() == 0 || value.equal(read[name]).all().item<bool>(), name);
        }
        Assert.Equal("a test", SafeTensors.ReadHeader(In("a.safetensors")).Metadata["what"]);
    }

    [Fact]
    public void EqualContents_GiveEqualBytes_WhateverTheOrder()
    {
        using var scope = NewDisposeScope();
        var (a, b) = (ones(3), zeros(2, 2));
        SafeTensors.Write(In("1"), new Dictionary<string, Tensor> { ["a"] = a, ["b"] = b });
        SafeTensors.Write(In("2"), new Dictionary<string, Tensor> { ["b"] = b, ["a"] = a });
        Assert.Equal(File.ReadAllBytes(In("1")), File.ReadAllBytes(In("2")));
    }

    [Theory]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4)] // too few bytes for the shape
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 4)] // ends beyond the file
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8)] // a hole
    // An overlap
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\""
        + "data_offsets\":[0,4]}}", 4)]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 8)] // bytes left over
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4)]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1152921504606846976],\"data_offsets\":[0,4]}}", 4)]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,4]}}", 4)]
    [InlineData("{\"a\":{\"dtype\":\"X9\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4)]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4)]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"a\":{\"dtype\":\"U8\",\"shape\":[1],\""
        + "data_offsets\":[1,2]}}", 2)]
    [InlineData("[1,2]", 0)]
    [InlineData("{\"a\":", 0)]
    public void LyingHeader_IsNamed(string header, int dataBytes)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + json.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, json.Length);
        json.CopyTo(bytes, 8);
        AssertRefused(bytes);
    }

    [Fact]
    public void TruncatedFile_IsNamed_AtEveryLength()
    {
        using var scope = NewDisposeScope();
        SafeTensors.Write(In("whole"), new Dictionary<string, Tensor> { ["a"] = ones(4), ["b"] = zeros(2, 2) });
        var whole = File.ReadAllBytes(In("whole"));
        for (var length = 0; length < whole.Length; length++) AssertRefused(whole[..length]);
    }

    [Fact]
    public void HugeHeaderLength_IsRefused_WithoutAllocatingIt()
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, ulong.MaxValue);
        AssertRefused(bytes);
    }

    [Fact]
    public void MissingFile_IsNamed() =>
        Assert.Contains("nowhere", Assert.Throws<WeightsFormatException>(() => SafeTensors.Read(In("nowhere"))).Message,
        StringComparison.Ordinal);

    private void AssertRefused(byte[] bytes)
    {
        var path = In("bad.safetensors");
        File.WriteAllBytes(path, bytes);
        var fault = Assert.Throws<WeightsFormatException>(() => SafeTensors.Read(path));
        Assert.Contains("bad.safetensors", fault.Message, StringComparison.Ordinal);
    }

    private string In(string name) => Path.Combine(_folder, name);
}
