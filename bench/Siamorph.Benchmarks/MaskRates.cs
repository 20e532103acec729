using System.Diagnostics;
using System.Globalization;
using Siamorph.Evaluation.Masks;
using Siamorph.Imaging;

namespace Siamorph.Benchmarks;

/// <summary>
/// How long every measure of a set of masks takes under the protocol <c>pranet</c>; masks and maps are made beforehand:
/// <code>
/// Siamorph.Benchmarks masks [COUNT] [SIDE]     (2,000 masks of 256 pixels)
/// </code>
/// </summary>
internal static class MaskRates
{
    private const int Different = 50;

    public static int Run(string[] arguments)
    {
        int Number(int place, int otherwise) =>
            arguments.Length > place ? int.Parse(arguments[place], CultureInfo.InvariantCulture) : otherwise;
        var (count, side) = (Number(1, 2000), Number(2, 256));
        var some = Enumerable.Range(0, Different).Select(i => Blob(side, new Seed(1).Derive(i).Random())).ToList();
        MaskCase[] cases = [.. Enumerable.Range(0, count).Select(i => new MaskCase($"{i}", null, () => some[i % Different]))];
        MaskEvaluator.Evaluate(cases[..Different], new(), NullMonitor.Instance); // compiles what is needed
        var watch = Stopwatch.StartNew();
        MaskEvaluator.Evaluate(cases, new(), NullMonitor.Instance);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{count} masks of {side}×{side}, all measures: {watch.Elapsed.TotalSeconds:0.0} s, {Environment.ProcessorCount} "
                + $"cores, peak memory {ProcessMemory.Peak():N0} MiB"));
        return 0;
    }

    // A disc, and a soft, shifted and noisy claim of it.
    private static (LabelMap Truth, ProbabilityMap Prediction) Blob(int side, SeededRandom random)
    {
        var size = new ImageSize(side, side);
        double cx = side * random.Uniform(.3, .7), cy = side * random.Uniform(.3, .7), r = side * random.Uniform(.08, .3),
            shift = side * random.Uniform(0, .1);
        var (truth, map) = (new LabelMap(size), new ProbabilityMap(size, new byte[side * side]));
        for (var i = 0; i < side * side; i++)
        {
            double x = i % side - cx, y = i / side - cy;
            truth.Labels[i] = double.Hypot(x, y) < r ? (byte)1 : (byte)0;
            map.Levels[i] = (byte)Math.Clamp(255 / (1 + Math.Exp((double.Hypot(x - shift, y) - r) / 6))
                + random.Uniform(-13, 13), 0, 255);
        }
        return (truth, map);
    }
}
