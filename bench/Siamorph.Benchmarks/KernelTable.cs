using System.Diagnostics;
using System.Globalization;
using Siamorph.Acceleration;
using Siamorph.Models;
using static TorchSharp.torch;

namespace Siamorph.Benchmarks;

/// <summary>
/// Every kernel against libtorch in one run, at the shapes that the presets and the segmentation networks have: the same call
/// with the kernels on and off, in turns, medians. Pictures come pixel by pixel, as kernels leave them to each other: what
/// libtorch would take in a kernel's place. A second column has libtorch with pictures plane by plane, as it would meet them
/// where it computed the whole network; whether the kernels together pay is for `bench train-step` with and without
/// `--no-kernels` to say.
/// <code>
/// Siamorph.Benchmarks kernels [THREADS] [ROUNDS]
/// </code>
/// </summary>
internal static class KernelTable
{
    private const double Pays = 1.2;

    private sealed record Case(string Kernel, string Shape, Action<Func<Tensor, Tensor>> Call);

    public static int Run(string[] arguments)
    {
        set_num_threads(arguments.Length > 1 ? int.Parse(arguments[1], CultureInfo.InvariantCulture) : 2);
        var rounds = arguments.Length > 2 ? int.Parse(arguments[2], CultureInfo.InvariantCulture) : 9;
        Console.WriteLine($"{get_num_threads()} threads, medians of {rounds}, ms");
        Console.WriteLine(
            "| kernel | shape | libtorch, planes | libtorch, pixels | kernel | ratio to the last |\n|---|---|---|---|---|---|");
        var ratios = new List<(string Kernel, double Ratio)>();
        foreach (var one in Cases())
        {
            var (planes, pixels, kernel) = Measure(one.Call, rounds);
            ratios.Add((one.Kernel, pixels / kernel));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {one.Kernel} | {one.Shape} | {planes:0.00} | {pixels:0.00} | {kernel:0.00} | {pixels / kernel:0.00} |"));
        }
        Console.WriteLine();
        foreach (var kernel in ratios.GroupBy(r => r.Kernel))
        {
            var mean = Math.Exp(kernel.Average(r => Math.Log(r.Ratio)));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{kernel.Key}: {mean:0.00} on average, {(mean >= Pays ? "pays" : "does not pay")}"));
        }
        return 0;
    }

    private static (double Planes, double Pixels, double Kernel) Measure(Action<Func<Tensor, Tensor>> call, int rounds)
    {
        var times = Enumerable.Range(0, 3).Select(_ => new double[rounds]).ToArray();
        for (var r = -1; r < rounds; r++) // one round to warm up
            for (var way = 0; way < 3; way++)
            {
                var time = Time(call, kernels: way == 2, pixels: way > 0);
                if (r >= 0) times[way][r] = time;
            }
        foreach (var way in times) Array.Sort(way);
        return (times[0][rounds / 2], times[1][rounds / 2], times[2][rounds / 2]);
    }

    private static double Time(Action<Func<Tensor, Tensor>> call, bool kernels, bool pixels)
    {
        AppContext.SetSwitch(KernelUse.SwitchName, !kernels);
        Tensor Ordered(Tensor picture) => pixels ? PixelByPixel(picture) : picture;
        var clock = Stopwatch.StartNew();
        var calls = 0;
        do
        {
            call(Ordered);
            calls++;
        }
        while (clock.Elapsed.TotalMilliseconds < 20);
        return clock.Elapsed.TotalMilliseconds / calls;
    }

    private static IEnumerable<Case> Cases()
    {
        (string, long[])[] maps =
        [
            ("tiny, level 1", [16, 64, 16, 16]), ("tiny, level 2", [16, 128, 8, 8]), ("medium, level 1", [8, 64, 32, 32]),
            ("medium, level 3", [8, 256, 8, 8]),
            ("sd15, level 1", [2, 320, 48, 48]), ("U-Net 16, full size", [8, 16, 64, 64]), ("U-Net 16, bottom", [8, 128, 8, 8]),
        ];
        foreach (var (name, shape) in maps)
        {
            var at = $"{name}: [{string.Join(", ", shape)}]";
            Tensor x = Random(shape), weight = Random(shape[1], shape[1], 3, 3), bias = Random(shape[1]);
            yield return new("3×3 convolution, forward", at, o => Quiet(() => FastConvolution.Forward(o(x), weight, bias)));
            yield return new("3×3 convolution, both ways", at,
                o => BothWays(t => FastConvolution.Forward(t[0], t[1], t[2]), o(x), weight, bias));
            var first = nn.Conv2d(shape[1], shape[1], 3, padding: 1);
            yield return new("3×3 convolution, kept weights", at, Frozen(o => FastConvolution.Forward(first, o(x))));
            var norm = nn.GroupNorm(Math.Min(32, shape[1] / 2), shape[1]);
            yield return new("group norm with SiLU, forward", at,
                o => Quiet(() => FastGroupNorm.Forward(norm, o(x), silu: true)));
            yield return new("group norm with SiLU, both ways", at,
                o => BothWays(t => FastGroupNorm.Forward(norm, t[0], silu: true), o(x)));
        }
        foreach (var (name, shape) in new (string, long[])[] { ("tiny hint", [16, 16, 64, 64]),
            ("medium hint", [8, 16, 128, 128]), ("sd15 hint", [1, 16, 384, 384]) })
        {
            var x = Random(shape);
            var (one, two) = (nn.Conv2d(shape[1], shape[1], 3, padding: 1), nn.Conv2d(shape[1], shape[1], 3, padding: 1));
            var at = $"{name}: [{string.Join(", ", shape)}]";
            yield return new("residual of two convolutions, forward", at,
                o => Quiet(() => FastResidual.Forward(one, two, o(x)).ToTensor()));
            yield return new("residual of two convolutions, both ways", at,
                o => BothWays(t => FastResidual.Forward(one, two, t[0]).ToTensor(), o(x)));
        }
        foreach (var (name, samples, tokens, keys, channels) in new[]
        {
            ("tiny, self", 16, 64, 64, 128), ("medium, self", 8, 256, 256, 128), ("medium, context", 8, 256, 77, 128),
            ("sd15, self", 2, 2304, 2304, 320), ("sd15, context", 2, 2304, 77, 320),
        })
        {
            Tensor q = Random(samples, tokens, channels), k = Random(samples, keys, channels),
            v = Random(samples, keys, channels);
            var at = $"{name}: {samples} × 8 heads, {tokens} × {keys}, width {channels / 8}";
            yield return new("attention, forward", at, _ => Quiet(() => FastAttention.Forward(q, k, v, 8)));
            yield return new("attention, both ways", at, _ => BothWays(t => FastAttention.Forward(t[0], t[1], t[2], 8), q, k, v));
        }
        foreach (var (name, rows, width) in new[] { ("tiny", 1024, 1024), ("medium", 2048, 1024), ("sd15", 4608, 2560) })
        {
            var x = Random(rows, width);
            yield return new("gated unit, forward", $"{name}: [{rows}, {width}]", _ => Quiet(() => FastGatedUnit.Forward(x)));
            yield return new("gated unit, both ways", $"{name}: [{rows}, {width}]",
                _ => BothWays(t => FastGatedUnit.Forward(t[0]), x));
        }
        foreach (var (name, samples, tokens, channels, context) in new[] { ("tiny", 16, 64, 128, 64), ("medium", 8, 256, 128, 64),
            ("sd15", 2, 2304, 320, 768) })
        {
            var block = new TransformerBlock(channels, 8, context);
            Tensor x = Random(samples, tokens, channels), c = Random(samples, 8, context);
            yield return new("transformer block, kept weights", $"{name}: [{samples}, {tokens}, {channels}]",
                Frozen(_ => block.Forward(x, c)));
        }
    }

    // Made once, outside of what is timed.
    private static readonly Dictionary<Tensor, Tensor> Orders = new(ReferenceEqualityComparer.Instance);

    private static Tensor PixelByPixel(Tensor picture)
    {
        if (Orders.TryGetValue(picture, out var known)) return known;
        using var rows = picture.permute(0, 2, 3, 1).contiguous();
        return Orders[picture] = rows.permute(0, 3, 1, 2).DetachFromDisposeScope();
    }

    private static Tensor Random(params long[] shape)
    {
        using var generator = new Seed(1).Generator();
        return randn(shape, generator: generator);
    }

    private static void Quiet(Func<Tensor> call)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        call();
    }

    private static Action<Func<Tensor, Tensor>> Frozen(Func<Func<Tensor, Tensor>, Tensor> call)
    {
        var weights = new FrozenWeights();
        return order =>
        {
            using var use = weights.Use();
            Quiet(() => call(order));
        };
    }

    private static void BothWays(Func<Tensor[], Tensor> call, params Tensor[] inputs)
    {
        using var scope = NewDisposeScope();
        var leaves = inputs.Select(t => t.detach().requires_grad_()).ToArray();
        var y = call(leaves);
        y.backward([ones_like(y)]);
    }
}
