using static TorchSharp.torch;

namespace Siamorph.Segmentation.Networks;

/// <summary>
/// A U-Net whose descent is a MobileNetV2, which a user's weight file can give what ImageNet taught it: the usual strong
/// baseline where labelled images are few. The ascent has batch normalisation and begins at random. Images whose shorter side
/// has fewer than 128 pixels are enlarged to that first: the encoder was taught on images of 224.
/// </summary>
internal sealed class MobileUNet : SegmentationNetwork
{
    private const long Smallest = 128;
    private static readonly int[] Ascent = [128, 64, 32, 24, 16];
    private readonly MobileEncoder encoder;
    private readonly DoubleConv up1, up2, up3, up4, up5;
    private readonly OutConv outc;

    /// <summary>Makes the network with torch's default initial weights.</summary>
    /// <param name="classes">Logits per pixel; 1 for lesion against background.</param>
    public MobileUNet(int classes) : base(nameof(MobileUNet))
    {
        encoder = new();
        var w = MobileEncoder.Widths;
        up1 = Joined(w[4] + w[3], 0);
        up2 = Joined(Ascent[0] + w[2], 1);
        up3 = Joined(Ascent[1] + w[1], 2);
        up4 = Joined(Ascent[2] + w[0], 3);
        up5 = Joined(Ascent[3], 4);
        outc = new(Ascent[^1], classes);
        RegisterComponents();
        static DoubleConv Joined(int channels, int i) => new(channels, Ascent[i], Ascent[i], fast: true);
    }

    /// <inheritdoc/>
    public override InputNormalisation Input => InputNormalisation.Unit;

    /// <inheritdoc/>
    public override nn.Module? Backbone => encoder;

    /// <summary>Logits of an image of any size from 32 on.</summary>
    /// <param name="input">[B,3,H,W] in [-1,1].</param>
    /// <returns>One head, [B, Classes, H, W]; positive means lesion.</returns>
    public override IReadOnlyList<Tensor> Heads(Tensor input)
    {
        using var scope = NewDisposeScope();
        var maps = encoder.Maps(Enlarged(input));
        var x = up1.forward(Beside(maps[4], maps[3]));
        x = up2.forward(Beside(x, maps[2]));
        x = up3.forward(Beside(x, maps[1]));
        x = up4.forward(Beside(x, maps[0]));
        x = up5.forward(Operators.ScaleTo(x, input, corners: false));
        return [outc.forward(x).MoveToOuterDisposeScope()];
    }

    private static Tensor Enlarged(Tensor input)
    {
        var (height, width) = (input.shape[2], input.shape[3]);
        var factor = (double)Smallest / Math.Min(height, width);
        return factor <= 1 ? input
            : Operators.ScaleTo(input, (long)Math.Round(factor * height), (long)Math.Round(factor * width), corners: false);
    }

    private static Tensor Beside(Tensor low, Tensor skip) =>
        Operators.Concat(1, skip, Operators.ScaleTo(low, skip, corners: false));
}
