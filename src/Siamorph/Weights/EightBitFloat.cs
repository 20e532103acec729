using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Siamorph.Weights;

/// <summary>Floating numbers of 8 bits (OCP 8-bit floating point specification 1.0), read exactly as 16-bit ones.</summary>
internal sealed class EightBitFloat
{
    private static readonly EightBitFloat E4M3 = new(FourExponentBits),
    E5M2 = new(code => BitConverter.UInt16BitsToHalf((ushort)(code << 8)));
    private readonly Half[] _values;

    private EightBitFloat(Func<int, Half> value) => _values = [.. Enumerable.Range(0, 256).Select(value)];

    /// <summary>The type of that name in safetensors files; null for any other.</summary>
    public static EightBitFloat? Named(string dtype) => dtype switch { "F8_E4M3" => E4M3, "F8_E5M2" => E5M2, _ => null };

    /// <summary>The number that a byte stands for.</summary>
    public Half this[byte code] => _values[code];

    /// <summary>A float16 tensor of bytes at an offset.</summary>
    public Tensor Read(WeightBytes file, long offset, long[] shape)
    {
        using var codes = file.ReadTensor(offset, shape, ScalarType.Byte);
        var values = empty(shape, ScalarType.Float16);
        if (values.numel() == 0) return values;
        var from = codes.bytes;
        var to = MemoryMarshal.Cast<byte, Half>(values.bytes);
        for (var i = 0; i < from.Length; i++) to[i] = _values[from[i]];
        return values;
    }

    // No infinities; all bits set means no number.
    private static Half FourExponentBits(int code)
    {
        var (exponent, fraction) = ((code >> 3) & 15, code & 7);
        var size = exponent == 15 && fraction == 7 ? double.NaN
            : exponent == 0 ? Math.ScaleB(fraction / 8.0, -6)
            : Math.ScaleB(1 + fraction / 8.0, exponent - 7);
        return (Half)(code >= 128 ? -size : size);
    }
}
