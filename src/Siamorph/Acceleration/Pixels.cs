using static TorchSharp.torch;

namespace Siamorph.Acceleration;

/// <summary>How kernels see tensors: [B, C, H, W] by name, a row of channels for each pixel in memory.</summary>
internal static class Pixels
{
    /// <summary>[B, C, H, W] → [B, H, W, C] contiguous; no copy when it is channels-last already.</summary>
    public static Tensor Rows(Tensor x) => x.permute(0, 2, 3, 1).contiguous();

    /// <summary>[B, H, W, C] → [B, C, H, W], a view.</summary>
    public static Tensor Named(Tensor rows) => rows.permute(0, 3, 1, 2);

    /// <summary>The address of a contiguous tensor's first element; the tensor must outlive its use.</summary>
    public static unsafe float* Pointer(Tensor tensor)
    {
        KernelUse.MustHold(tensor, 0);
        fixed (byte* data = tensor.bytes) return (float*)data;
    }
}
