using Siamorph.Acceleration;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Siamorph.Segmentation.Networks;

/// <summary>The numbers that give a segmentation U-Net its shape; stored with its weights.</summary>
internal sealed record UNetConfig
{
    /// <summary>Channels at full resolution; they double at each of the four descents.</summary>
    public int Width { get; init; } = 16;

    /// <summary>True: bilinear upsampling and a half as wide bottom. False: learned 2×2 transposed convolutions.</summary>
    public bool Bilinear { get; init; } = true;

    /// <summary>Channels of the image.</summary>
    public int ImageChannels { get; init; } = 3;

    /// <summary>Logits per pixel; 1 for lesion against background.</summary>
    public int Classes { get; init; } = 1;
}

/// <summary>
/// U-Net with batch normalisation (Ronneberger et al. 2015, in the form widely used for photographs): four descents by max
/// pooling, four ascents with skip connections. State-dict keys are those of the common PyTorch implementation.
/// </summary>
internal sealed class UNet : SegmentationNetwork
{
    private readonly DoubleConv inc;
    private readonly Down down1, down2, down3, down4;
    private readonly Up up1, up2, up3, up4;
    private readonly OutConv outc;

    /// <summary>Makes the network with torch's default initial weights.</summary>
    /// <param name="config">Its shape.</param>
    /// <param name="fast">Convolve by the fast kernels where they apply; they round differently from libtorch's own.</param>
    /// <exception cref="ArgumentOutOfRangeException">The width is below 1.</exception>
    public UNet(UNetConfig config, bool fast = true) : base(nameof(UNet))
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentOutOfRangeException.ThrowIfLessThan(config.Width, 1, nameof(config));
        Config = config;
        int w = config.Width, factor = config.Bilinear ? 2 : 1;
        inc = new(config.ImageChannels, w, w, fast);
        down1 = new(w, 2 * w, fast);
        down2 = new(2 * w, 4 * w, fast);
        down3 = new(4 * w, 8 * w, fast);
        down4 = new(8 * w, 16 * w / factor, fast);
        up1 = new(16 * w, 8 * w / factor, config.Bilinear, fast);
        up2 = new(8 * w, 4 * w / factor, config.Bilinear, fast);
        up3 = new(4 * w, 2 * w / factor, config.Bilinear, fast);
        up4 = new(2 * w, w, config.Bilinear, fast);
        outc = new(w, config.Classes);
        RegisterComponents();
    }

    /// <summary>The numbers it was made from.</summary>
    public UNetConfig Config { get; }

    /// <inheritdoc/>
    public override InputNormalisation Input => InputNormalisation.Unit;

    /// <summary>Logits of an image. Height and width may be odd, and are at least 16.</summary>
    /// <param name="input">[B, ImageChannels, H, W], usually in [-1, 1].</param>
    /// <returns>One head, [B, Classes, H, W]; positive means lesion.</returns>
    public override IReadOnlyList<Tensor> Heads(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x1 = inc.forward(ChannelsLast(input));
        var x2 = down1.forward(x1);
        var x3 = down2.forward(x2);
        var x4 = down3.forward(x3);
        var x = down4.forward(x4);
        x = up1.forward(x, x4);
        x = up2.forward(x, x3);
        x = up3.forward(x, x2);
        x = up4.forward(x, x1);
        return [outc.forward(x).MoveToOuterDisposeScope()];
    }

    // What the golden numbers look at: the bottom of the network and the first ascent.
    internal (Tensor Bottom, Tensor FirstAscent) Inside(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x4 = down3.forward(down2.forward(down1.forward(inc.forward(ChannelsLast(input)))));
        var bottom = down4.forward(x4);
        return (bottom.MoveToOuterDisposeScope(), up1.forward(bottom, x4).MoveToOuterDisposeScope());
    }

    // Pooling and upsampling are many times faster in this memory order; every layer keeps it.
    private static Tensor ChannelsLast(Tensor x) =>
        Operators.Note(x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), "Identity", [x]);
}

/// <summary>Twice: 3×3 convolution without bias, batch normalisation, ReLU.</summary>
internal sealed class DoubleConv : nn.Module<Tensor, Tensor>
{
    private readonly Sequential double_conv;
    private readonly bool _fast;

    public DoubleConv(int channels, int middle, int result, bool fast) : base(nameof(DoubleConv))
    {
        _fast = fast;
        double_conv = nn.Sequential(
            ("0", new Conv3x3(channels, middle, fast)),
            ("1", nn.BatchNorm2d(middle)),
            ("2", nn.ReLU(inplace: true)),
            ("3", new Conv3x3(middle, result, fast)),
            ("4", nn.BatchNorm2d(result)),
            ("5", nn.ReLU(inplace: true)));
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => Operators.Run(double_conv, input, _fast);
}

/// <summary>Convolution 3×3 without bias that keeps the size; fast where the channel counts are multiples of 8.</summary>
internal sealed class Conv3x3 : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly bool _fast;

    public Conv3x3(int channels, int result, bool fast) : base(nameof(Conv3x3))
    {
        _fast = fast;
        weight = new(empty(result, channels, 3, 3));
        nn.init.kaiming_uniform_(weight, a: Math.Sqrt(5)); // torch's default
        RegisterComponents();
    }

    public Tensor Weight => weight;

    public override Tensor forward(Tensor input) => Operators.Note(
        _fast ? FastConvolution.Forward(input, weight, null) : nn.functional.conv2d(input, weight, padding: [1, 1]),
        "Conv", [input, weight], ("kernel_shape", (long[])[3, 3]), ("pads", (long[])[1, 1, 1, 1]));
}

/// <summary>Halves the resolution by max pooling.</summary>
internal sealed class Down : nn.Module<Tensor, Tensor>
{
    private readonly Sequential maxpool_conv;

    public Down(int channels, int result, bool fast) : base(nameof(Down))
    {
        maxpool_conv = nn.Sequential(("0", nn.MaxPool2d(2)), ("1", new DoubleConv(channels, result, result, fast)));
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => Operators.Run(maxpool_conv, input);
}

/// <summary>Doubles the resolution, pads to the skip connection's size and joins the two.</summary>
internal sealed class Up : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly ConvTranspose2d? up;
    private readonly DoubleConv conv;

    public Up(int channels, int result, bool bilinear, bool fast) : base(nameof(Up))
    {
        up = bilinear ? null : nn.ConvTranspose2d(channels, channels / 2, 2, stride: 2);
        conv = new(channels, bilinear ? channels / 2 : result, result, fast);
        RegisterComponents();
    }

    public override Tensor forward(Tensor low, Tensor skip)
    {
        using var scope = NewDisposeScope();
        var x = up is null ? Operators.ScaleTo(low, 2 * low.shape[2], 2 * low.shape[3], corners: true) : Operators.Run(up, low);
        var (dy, dx) = (skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]);
        if (dy != 0 || dx != 0) x = Operators.Pad(x, dx / 2, dx - dx / 2, dy / 2, dy - dy / 2);
        return conv.forward(Operators.Concat(1, skip, x)).MoveToOuterDisposeScope();
    }
}

/// <summary>The last 1×1 convolution.</summary>
internal sealed class OutConv : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d conv;

    public OutConv(int channels, int classes) : base(nameof(OutConv))
    {
        conv = nn.Conv2d(channels, classes, 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => Operators.Run(conv, input);
}
