using Siamorph.Acceleration;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Siamorph.Models;

/// <summary>Halves height and width: 3×3 convolution with stride 2, padding 1.</summary>
internal sealed class Downsample : Module<Tensor, Tensor>
{
    private readonly Conv2d op;

    public Downsample(int channels) : base(nameof(Downsample))
    {
        op = NewLayer.Conv2d(channels, channels, 3, stride: 2, padding: 1);
        RegisterComponents();
    }

    internal Conv2d Convolution => op;

    public override Tensor forward(Tensor x) => FastConvolution.Forward(op, x);
}

/// <summary>Doubles height and width: nearest neighbour, then a 3×3 convolution.</summary>
internal sealed class Upsample : Module<Tensor, Tensor>
{
    private readonly Conv2d conv;

    public Upsample(int channels) : base(nameof(Upsample))
    {
        conv = NewLayer.Conv2d(channels, channels, 3, padding: 1);
        RegisterComponents();
    }

    internal Conv2d Convolution => conv;

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var larger = functional.interpolate(x, size: [2 * x.shape[2], 2 * x.shape[3]], mode: InterpolationMode.Nearest);
        return FastConvolution.Forward(conv, larger).MoveToOuterDisposeScope();
    }
}
