using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Siamorph.Segmentation.Networks;

/// <summary>A convolution without bias and its batch norm, with no activation after: the decoders' usual brick.</summary>
internal sealed class ConvolutionNorm : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d conv;
    private readonly BatchNorm2d bn;

    /// <summary>A square window that keeps the map's size.</summary>
    public ConvolutionNorm(int channels, int result, int kernel, int dilation = 1)
        : this(channels, result, (kernel, kernel), dilation) { }

    public ConvolutionNorm(int channels, int result, (long Height, long Width) kernel, long dilation = 1)
        : base(nameof(ConvolutionNorm))
    {
        var padding = (dilation * (kernel.Height - 1) / 2, dilation * (kernel.Width - 1) / 2);
        conv = nn.Conv2d(channels, result, kernel, padding: padding, dilation: (dilation, dilation), bias: false);
        bn = nn.BatchNorm2d(result);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return Operators.Run(bn, Operators.Run(conv, input)).MoveToOuterDisposeScope();
    }
}
