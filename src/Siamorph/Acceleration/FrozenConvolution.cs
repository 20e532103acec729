using System.Runtime.CompilerServices;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Siamorph.Acceleration;

/// <summary>
/// Convolutions of any size and stride for sampling, as products with weights that are packed once: patches are gathered a few pixels
/// at a time; with 1×1 there is nothing to gather. Zero padding of half the filter.
/// </summary>
internal static unsafe class FrozenConvolution
{
    private const int LargestChunk = 48; // output pixels at a time

    private readonly record struct Geometry(int Height, int Width, int Channels, int Size, int Stride, int OutHeight, int OutWidth)
    {
        public int PatchLength => Size * Size * Channels;
    }

    /// <summary>convolution(x) (+ addend) of a layer whose filters are centred; null where weights aren't frozen or tensors don't fit.</summary>
    public static Tensor? TryForward(Conv2d convolution, ConvolutionLayer layer, Tensor x, Tensor? addend = null)
    {
        if (FrozenWeights.Current is null || is_grad_enabled() || !KernelUse.Fits(x) || x.dim() != 4 || x.shape[1] != layer.Inputs) return null;
        var weight = convolution.weight!;
        if (!KernelUse.Fits(weight) || !KernelUse.FitsRow(convolution.bias, layer.Outputs)) return null;
        var (outChannels, channels, size, stride) = ((int)layer.Outputs, (int)layer.Inputs, (int)layer.Kernel.Down, (int)layer.Stride.Down);
        if (addend is not null && !KernelUse.Fits(addend, x.shape[0], outChannels, (x.shape[2] - 1) / stride + 1, (x.shape[3] - 1) / stride + 1)) return null;
        if (Pack(weight) is not { } packed) return null;
        using var scope = NewDisposeScope();
        var rows = Pixels.Rows(x);
        var (height, width) = ((int)rows.shape[1], (int)rows.shape[2]);
        var geometry = new Geometry(height, width, channels, size, stride, (height - 1) / stride + 1, (width - 1) / stride + 1);
        var y = addend is null ? empty(rows.shape[0], geometry.OutHeight, geometry.OutWidth, outChannels) : Pixels.Rows(addend).clone();
        Run(geometry, (int)rows.shape[0], Pixels.Pointer(rows), packed.Data, convolution.bias is { } b ? Pixels.Pointer(b) : null, Pixels.Pointer(y), outChannels,
            addend is not null);
        return Pixels.Named(y).MoveToOuterDisposeScope();
    }

    private static NativeBuffer? Pack(Tensor weight)
    {
        var (columns, depth) = ((int)weight.shape[0], (int)(weight.shape[1] * weight.shape[2] * weight.shape[3]));
        return FrozenWeights.TryGet(weight, (nint)PackedMatrix.PanelsOf(columns) * PackedMatrix.PanelWidth * depth, made =>
        {
            using var taps = weight.permute(2, 3, 1, 0).contiguous(); // row by row of the filter, then channels, as patches are gathered
            PackedMatrix.Pack(Pixels.Pointer(taps), columns, 1, depth, columns, made.Data);
        });
    }

    private static void Run(Geometry g, int samples, float* x, float* packed, float* bias, float* y, int outChannels, bool accumulate)
    {
        var rows = samples * g.OutHeight * g.OutWidth;
        var share = (rows + get_num_threads() - 1) / get_num_threads();
        var chunk = Math.Min(LargestChunk, (share + 5) / 6 * 6);
        Workers.For((rows + chunk - 1) / chunk, task =>
        {
            var (first, count) = (task * chunk, Math.Min(chunk, rows - task * chunk));
            var patches = g.Size == 1 && g.Stride == 1 ? x + (nint)first * g.Channels : Gather(g, x, first, count);
            Gemm.Run(count, patches, g.PatchLength, packed, g.PatchLength, outChannels, y + (nint)first * outChannels, outChannels, bias, accumulate);
        });
    }

    private static float* Gather(in Geometry g, float* x, int first, int count)
    {
        var patches = Scratch.Get(0, (nint)count * g.PatchLength);
        var to = patches;
        var bytes = (uint)g.Channels * sizeof(float);
        for (var i = first; i < first + count; i++)
        {
            var (row, column) = (i / g.OutWidth % g.OutHeight * g.Stride - g.Size / 2, i % g.OutWidth * g.Stride - g.Size / 2);
            var image = x + (nint)(i / (g.OutWidth * g.OutHeight)) * g.Height * g.Width * g.Channels;
            for (var ky = row; ky < row + g.Size; ky++)
            {
                for (var kx = column; kx < column + g.Size; kx++, to += g.Channels)
                {
                    if ((uint)ky < (uint)g.Height && (uint)kx < (uint)g.Width)
                        Unsafe.CopyBlockUnaligned(to, image + ((nint)ky * g.Width + kx) * g.Channels, bytes);
                    else Unsafe.InitBlockUnaligned(to, 0, bytes);
                }
            }
        }
        return patches;
    }
}
