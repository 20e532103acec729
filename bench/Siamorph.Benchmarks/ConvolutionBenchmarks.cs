using BenchmarkDotNet.Attributes;
using Siamorph.Acceleration;
using static TorchSharp.torch;

namespace Siamorph.Benchmarks;

/// <summary>The 3×3 convolution of the networks against libtorch's, without gradients, on two threads.</summary>
public class ConvolutionBenchmarks
{
    private Tensor _x = null!;
    private Tensor _weight = null!;
    private Tensor _bias = null!;

    /// <summary>Channels and side of the square map, as in the medium model's levels.</summary>
    [Params("64x32", "128x16", "256x8")]
    public string Shape { get; set; } = "64x32";

    [GlobalSetup]
    public void Setup()
    {
        set_num_threads(2);
        var sizes = Shape.Split('x').Select(long.Parse).ToArray();
        using var generator = new Seed(1).Generator();
        _x = randn([8, sizes[0], sizes[1], sizes[1]], generator: generator);
        _weight = randn([sizes[0], sizes[0], 3, 3], generator: generator);
        _bias = randn([sizes[0]], generator: generator);
    }

    [Benchmark(Baseline = true)]
    public float Libtorch()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        return nn.functional.conv2d(_x, _weight, _bias, padding: [1, 1]).sum().item<float>();
    }

    [Benchmark]
    public float Fast()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        return FastConvolution.Forward(_x, _weight, _bias).sum().item<float>();
    }
}
