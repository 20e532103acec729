using System.Buffers.Binary;
using System.Text;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests.Weights;

/// <summary>Writes pickles operation by operation, honest ones and others.</summary>
public sealed class PickleWriter
{
    private readonly List<byte> _bytes = [0x80, 2];

    public PickleWriter Op(char op)
    {
        _bytes.Add((byte)op);
        return this;
    }

    public PickleWriter Op(char op, params ReadOnlySpan<byte> argument)
    {
        _bytes.Add((byte)op);
        _bytes.AddRange(argument);
        return this;
    }

    public PickleWriter Global(string module, string name) => Op('c', Encoding.UTF8.GetBytes($"{module}\n{name}\n"));

    public PickleWriter Text(string text)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, Encoding.UTF8.GetByteCount(text));
        Op('X', length);
        _bytes.AddRange(Encoding.UTF8.GetBytes(text));
        return this;
    }

    public PickleWriter Number(long value)
    {
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(number, value);
        if (value == (int)value) return Op('J', number[..4]);
        Op('\x8a', 8);
        _bytes.AddRange(number);
        return this;
    }

    public PickleWriter Bool(bool value) => Op(value ? '\x88' : '\x89');

    public PickleWriter Dict(params (string Key, Action<PickleWriter> Value)[] items)
    {
        Op('}').Op('(');
        foreach (var (key, value) in items)
        {
            Text(key);
            value(this);
        }
        return Op('u');
    }

    public PickleWriter Ints(IEnumerable<long> values)
    {
        Op('(');
        foreach (var value in values) Number(value);
        return Op('t');
    }

    /// <summary>A tensor that fills its storage.</summary>
    internal PickleWriter Tensor(WeightEntry entry, string key, bool legacy = false)
    {
        var strides = new long[entry.Shape.Count];
        var stride = 1L;
        for (var i = strides.Length - 1; i >= 0; stride *= entry.Shape[i--]) strides[i] = stride;
        return Tensor(StorageOf(entry.DType), key, entry.Elements, 0, entry.Shape, strides, legacy);
    }

    public PickleWriter Tensor(
        string storage, string key, long elements, long offset, IReadOnlyList<long> shape, IReadOnlyList<long> strides,
        bool legacy = false)
    {
        Global("torch._utils", "_rebuild_tensor_v2").Op('(');
        Op('(').Text("storage").Global("torch", storage).Text(key).Text("cpu").Number(elements);
        if (legacy) Op('N');
        return Op('t').Op('Q').Number(offset).Ints(shape).Ints(strides).Bool(false).Global("collections", "OrderedDict").Op(')')
            .Op('R').Op('t').Op('R');
    }

    public byte[] Stop()
    {
        Op('.');
        return [.. _bytes];
    }

    private static string StorageOf(ScalarType type) => type switch
    {
        ScalarType.Float64 => "DoubleStorage", ScalarType.Float32 => "FloatStorage", ScalarType.Float16 => "HalfStorage",
        ScalarType.BFloat16 => "BFloat16Storage", ScalarType.Int64 => "LongStorage", ScalarType.Int32 => "IntStorage",
        ScalarType.Int16 => "ShortStorage", ScalarType.Int8 => "CharStorage", ScalarType.Byte => "ByteStorage", _ =>
            "BoolStorage",
    };
}
