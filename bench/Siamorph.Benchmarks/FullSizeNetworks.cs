using System.Diagnostics;
using System.Globalization;
using Siamorph.Segmentation;
using Siamorph.Segmentation.Losses;
using Siamorph.Segmentation.Networks;
using static TorchSharp.torch;

namespace Siamorph.Benchmarks;

/// <summary>
/// One forward and backward pass of a segmentation network with random weights and pictures, and its peak memory. A single
/// run in a process of its own, so that the memory means something:
/// <code>
/// Siamorph.Benchmarks networks NAME [SIDE] [BATCH]     (352 pixels, one picture)
/// </code>
/// </summary>
internal static class FullSizeNetworks
{
    public static int Run(string[] arguments)
    {
        if (arguments is not ["networks", var name, .. var rest] || !SegmentationRecipes.All.TryGetValue(name, out var recipe))
        {
            Console.Error.WriteLine(
                $"networks NAME [SIDE] [BATCH], NAME one of {string.Join(", ", SegmentationRecipes.All.Keys)}");
            return 2;
        }
        int Number(int place, int otherwise) =>
            rest.Length > place ? int.Parse(rest[place], CultureInfo.InvariantCulture) : otherwise;
        var (side, batch) = (Number(0, 352), Number(1, 1));
        using var network = NetworkFactory.Create(recipe.Network);
        network.train();
        using var generator = new Seed(1).Generator();
        using var images = rand([batch, 3, side, side], generator: generator);
        using var masks = (rand([batch, 1, side, side], generator: generator) > 0.8).to_type(ScalarType.Float32);
        var before = ProcessMemory.Peak();
        Pass(network, images, masks); // the first also makes the kernels' plans
        var (forward, backward) = Pass(network, images, masks);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name}: {network.parameters().Sum(p => p.numel()) / 1e6:0.0} M parameters, {batch} × {side} px, "
                + $"{get_num_threads()} threads: forward {forward:0.00} s, backward {backward:0.00} s, peak memory "
                + $"{ProcessMemory.Peak():N0} MiB ({before:N0} before)"));
        return 0;
    }

    private static (double Forward, double Backward) Pass(SegmentationNetwork network, Tensor images, Tensor masks)
    {
        using var scope = NewDisposeScope();
        foreach (var parameter in network.parameters()) parameter.grad?.zero_();
        var watch = Stopwatch.StartNew();
        var loss = network.Heads(images)
            .Select(h => nn.functional.interpolate(h, [masks.shape[2], masks.shape[3]], mode: InterpolationMode.Bilinear,
            align_corners: network.AlignCorners))
            .Select(h => MaskLosses.Of(MaskLoss.BceDice, h, masks)).Aggregate((a, b) => a + b);
        loss.item<float>();
        var forward = watch.Elapsed.TotalSeconds;
        loss.backward();
        return (forward, watch.Elapsed.TotalSeconds - forward);
    }
}
