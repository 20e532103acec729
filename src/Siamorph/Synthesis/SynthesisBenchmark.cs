using System.Diagnostics;
using Siamorph.Data;
using Siamorph.Diffusion;
using Siamorph.Evaluation.Statistics;
using Siamorph.Imaging;

namespace Siamorph.Synthesis;

/// <summary>How long drawing takes with one sampler and number of steps.</summary>
/// <param name="Sampler">Which.</param>
/// <param name="Steps">How many.</param>
/// <param name="Images">Images drawn each time.</param>
/// <param name="MedianSeconds">Median of the repeats: model loaded, images drawn, files written.</param>
/// <param name="MinSeconds">Shortest.</param>
/// <param name="MaxSeconds">Longest.</param>
/// <param name="Difference">Mean absolute difference from the first setting's images of the same seeds, in levels of
/// 0…255.</param>
internal sealed record SynthesisTiming(
    SamplerKind Sampler, int Steps, int Images, double MedianSeconds, double MinSeconds, double MaxSeconds, double Difference);

/// <summary>
/// Times `synthesize` from end to end with several samplers, in turns, so that a busy machine slows all of them alike.
/// </summary>
internal static class SynthesisBenchmark
{
    /// <summary>Draws, and takes the time.</summary>
    /// <param name="model">The run folder that `train` wrote, or weights of the whole model.</param>
    /// <param name="masks">Pairs whose masks are used.</param>
    /// <param name="options">How to draw; sampler and steps come from <paramref name="settings"/>.</param>
    /// <param name="settings">Samplers with their steps; the first is what the others are held against.</param>
    /// <param name="repeats">How often each is timed.</param>
    /// <param name="monitor">Watches and may stop.</param>
    /// <exception cref="SiamorphException">Model, masks or options can't be used.</exception>
    /// <exception cref="OperationCanceledException">The monitor asked to stop.</exception>
    public static IReadOnlyList<SynthesisTiming> Run(
        string model, IReadOnlyList<ImageMaskPair> masks, SynthesisOptions options,
        IReadOnlyList<(SamplerKind Sampler, int Steps)> settings, int repeats, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(monitor);
        if (repeats < 1) throw new InvalidOptionsException($"repeats is {repeats}; at least 1 is needed.");
        var scratch = Directory.CreateTempSubdirectory("siamorph-bench-").FullName;
        try
        {
            var seconds = settings.Select(_ => new List<double>()).ToList();
            var drawn = new List<RgbImage>[settings.Count];
            for (var round = 0; round < repeats; round++)
                for (var i = 0; i < settings.Count; i++)
                {
                    var folder = Path.Combine(scratch, $"{round}-{i}");
                    var clock = Stopwatch.StartNew();
                    var made = Synthesizer.Run(model, masks, options with
                    {
                        Sampler = settings[i].Sampler, Steps = settings[i].Steps,
                    }, folder, monitor);
                    seconds[i].Add(clock.Elapsed.TotalSeconds);
                    drawn[i] ??= [.. made.Pairs.Select(p => ImageFile.ReadRgb(p.ImagePath))];
                    Directory.Delete(folder, recursive: true);
                }
            return [.. settings.Select((s, i) => new SynthesisTiming(
                s.Sampler, s.Steps, drawn[i].Count, Quantiles.Of(seconds[i], 0.5), seconds[i].Min(), seconds[i].Max(),
                Difference(drawn[i], drawn[0])))];
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static double Difference(List<RgbImage> a, List<RgbImage> b)
        => a.Zip(b, (x, y) => x.Pixels.Zip(y.Pixels, (p, q) => Math.Abs(p - q)).Average()).Average();
}
