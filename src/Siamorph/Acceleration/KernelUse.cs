using System.Diagnostics;
using System.Runtime.Intrinsics.X86;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Siamorph.Acceleration;

/// <summary>
/// Asked by every kernel before it runs: whether kernels are on, and whether the tensors and the layer are what it was written
/// for. What is not goes to libtorch.
/// </summary>
internal static class KernelUse
{
    /// <summary>The switch that turns all kernels off, in runtimeconfig.json or by AppContext.</summary>
    public const string SwitchName = "Siamorph.Kernels.Off";

    /// <summary>This processor has the instructions, and nobody turned the kernels off.</summary>
    public static bool IsOn => Avx2.IsSupported && Fma.IsSupported && !(AppContext.TryGetSwitch(SwitchName, out var off) && off);

    /// <summary>float32 on the CPU, of a size that kernels can count.</summary>
    public static bool Fits(Tensor t) => IsOn && t.device_type == DeviceType.CPU && t.dtype == ScalarType.Float32
        && !t.is_sparse && t.NumberOfElements is > 0 and < int.MaxValue / sizeof(float);

    /// <summary>The same, and exactly of this shape, whatever its order in memory.</summary>
    public static bool Fits(Tensor t, params ReadOnlySpan<long> shape) => Fits(t) && t.shape.AsSpan().SequenceEqual(shape);

    /// <summary>Absent, or a row of this many floats, one after the other: read by its address as it is.</summary>
    public static bool FitsRow(Tensor? t, long length) => t is null || (Fits(t, length) && t.is_contiguous());

    /// <summary>A linear layer of these widths.</summary>
    public static bool Fits(Linear layer, long inputs, long outputs) =>
        layer.weight is { } weight && Fits(weight, outputs, inputs) && FitsRow(layer.bias, outputs);

    /// <summary>A norm over rows of this width, with weight and bias.</summary>
    public static bool Fits(LayerNorm norm, long width) =>
        norm.normalized_shape is [var own] && own == width && norm.weight is { } weight && norm.bias is { } bias
        && FitsRow(weight, width) && FitsRow(bias, width);

    /// <summary>Stops a debug build where a kernel would read or write beyond a tensor.</summary>
    [Conditional("DEBUG")]
    public static void MustHold(Tensor? t, long floats)
    {
        if (t is null) return;
        Debug.Assert(t.dtype == ScalarType.Float32
            && t.device_type == DeviceType.CPU, "A kernel was given another type or device.");
        Debug.Assert(t.is_contiguous(), "A kernel was given a tensor that is not contiguous.");
        Debug.Assert(t.NumberOfElements >= floats, "A kernel was given a tensor that is too short.");
    }
}

/// <summary>What a convolution layer does, all of it.</summary>
/// <param name="Outputs">Output channels.</param>
/// <param name="Inputs">Input channels.</param>
/// <param name="Kernel">Height and width of its filters.</param>
/// <param name="Stride">Down and right.</param>
/// <param name="Padding">Above and below, left and right.</param>
/// <param name="Dilation">Down and right.</param>
/// <param name="Groups">Groups of channels.</param>
/// <param name="ZeroPadded">Padding is zeros, neither mirrored nor repeated, and of these numbers.</param>
internal readonly record struct ConvolutionLayer(
    long Outputs, long Inputs, (long Down, long Right) Kernel, (long Down, long Right) Stride, (long Down, long Right) Padding,
    (long Down, long Right) Dilation, long Groups, bool ZeroPadded)
{
    /// <summary>Reads a layer; null where it is none of two dimensions with known numbers.</summary>
    public static ConvolutionLayer? Of(Conv2d layer) =>
        layer is { transposed: false, weight: not null } && layer.weight.shape is [var outputs, var inputs, var height, var width]
        && Two(layer.stride) is { } stride && Two(layer.dilation) is { } dilation
        && PaddingOf(layer, height, width, dilation) is { } padding
            ? new(outputs, inputs * layer.groups, (height, width), stride, padding, dilation, layer.groups,
            layer.padding_mode == PaddingModes.Zeros)
            : null;

    /// <summary>Every input meets every output, once, at its own place.</summary>
    private bool IsPlain => Groups == 1 && Dilation == (1, 1) && ZeroPadded;

    /// <summary>3×3 that keeps height and width: what Winograd's kernels compute.</summary>
    public bool IsThreeByThree => IsPlain && Kernel == (3, 3) && Stride == (1, 1) && Padding == (1, 1);

    /// <summary>1×1 at every pixel: a product of rows of channels with a matrix.</summary>
    public bool IsPointwise => IsPlain && Kernel == (1, 1) && Stride == (1, 1) && Padding == (0, 0);

    private static (long, long)? PaddingOf(Conv2d layer, long height, long width, (long Down, long Right) dilation) =>
        layer.padding_type switch
    {
        null => layer.padding is null ? (0, 0) : Two(layer.padding),
        TorchSharp.Padding.Valid => (0, 0),
        _ => height % 2 == 1 && width % 2 == 1 ? (dilation.Down * (height / 2), dilation.Right * (width / 2)) : null,
    };

    private static (long, long)? Two(long[]? numbers) => numbers switch
    {
        [var both] => (both, both),
        [var down, var right] => (down, right),
        _ => null,
    };
}
