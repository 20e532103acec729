using System.Diagnostics;
using Siamorph.Acceleration;
using Siamorph.Data;
using Siamorph.Data.Phantom;
using Siamorph.Evaluation.Statistics;
using static TorchSharp.torch;

namespace Siamorph.Segmentation;

/// <summary>How fast a segmentation network learns here.</summary>
/// <param name="ImagesASecond">Training images a second, by the median step.</param>
/// <param name="MedianMs">Median time of a training step, milliseconds: batch, augmentation, network, optimizer,
/// averages.</param>
/// <param name="MinMs">Shortest.</param>
/// <param name="MaxMs">Longest.</param>
/// <param name="ProcessorMs">Processor time of a step, mean, milliseconds: what others on the machine do counts less in
/// it.</param>
/// <param name="ValidationMs">Median time of a look at 32 validation images.</param>
/// <param name="Steps">Steps timed.</param>
/// <param name="Batch">Images per step.</param>
/// <param name="Threads">Threads of libtorch and of the kernels.</param>
/// <param name="PeakMemoryMB">Most memory the process has held, 10⁶ bytes.</param>
/// <param name="Shares">What each operation takes of a step, where a profile was asked for.</param>
internal sealed record SegmentationTiming(
    double ImagesASecond, double MedianMs, double MinMs, double MaxMs, double ProcessorMs, double ValidationMs, int Steps,
    int Batch, int Threads, double PeakMemoryMB,
    IReadOnlyList<OperationShare>? Shares);

/// <summary>Times the trainer's own steps on images of the simulator.</summary>
internal static class SegmentationBenchmark
{
    private const int WarmUps = 8, Pairs = 64, ValidationPairs = 32, Looks = 3;

    /// <summary>Trains, and takes the time.</summary>
    /// <param name="options">What is trained; the number of steps is the next parameter's.</param>
    /// <param name="steps">Steps to time, after a few that are not.</param>
    /// <param name="threads">Threads.</param>
    /// <param name="profile">Whether operations note their share of the time, which takes a little itself.</param>
    /// <param name="monitor">Watches and may stop.</param>
    /// <exception cref="InvalidOptionsException">The options have faults.</exception>
    /// <exception cref="OperationCanceledException">The monitor asked to stop.</exception>
    public static SegmentationTiming Run(SegmentationOptions options, int steps, int threads, bool profile, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(monitor);
        options.Validate();
        if (steps < 1 || threads < 1) throw new InvalidOptionsException(
            $"steps is {steps}, threads is {threads}; each has to be 1 or more.");
        var scratch = Directory.CreateTempSubdirectory("siamorph-bench-").FullName;
        var before = get_num_threads();
        set_num_threads(threads);
        try
        {
            var pairs = PhantomDataset.Write(scratch, new()
            {
                Count = Pairs + ValidationPairs, Size = options.ImageSize,
            }, monitor).Pairs;
            using var train = options.Load([.. pairs.Take(Pairs)], monitor);
            using var validation = PairedDataset.Load([.. pairs.Skip(Pairs)], options.ImageSize, monitor);
            using var session = new SegmentationSession(options with { Steps = steps + WarmUps }, train, validation);
            return Measure(session, steps, profile, monitor) with { Batch = options.BatchSize, Threads = threads };
        }
        finally
        {
            set_num_threads(before);
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static SegmentationTiming Measure(SegmentationSession session, int steps, bool profile, IMonitor monitor)
    {
        using var stage = monitor.Begin("Timing", WarmUps + steps);
        using var heap = NoCollectionRegion.Enter();
        using var shares = profile ? new StepProfile() : null;
        using var recorder = profile ? OperationRecorder.TryOpen() : null;
        var (times, used) = (new List<double>(), TimeSpan.Zero);
        for (var i = 0; i < WarmUps + steps; i++, stage.Report(i))
        {
            monitor.Cancellation.ThrowIfCancellationRequested();
            if (i == WarmUps)
            {
                shares?.Clear();
                used = Environment.CpuUsage.TotalTime;
            }
            var start = Stopwatch.GetTimestamp();
            session.Advance();
            heap.StepDone();
            if (i >= WarmUps) times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        var processor = (Environment.CpuUsage.TotalTime - used).TotalMilliseconds / steps;
        var found = shares?.Shares(steps);
        var looks = Enumerable.Range(0, Looks).Select(_ =>
        {
            var start = Stopwatch.GetTimestamp();
            session.Validate();
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }).ToList();
        using var process = Process.GetCurrentProcess();
        var median = Quantiles.Of(times, 0.5);
        return new(1000 * session.BatchSize / median, median, times.Min(), times.Max(), processor, Quantiles.Of(looks, 0.5),
            steps, session.BatchSize, get_num_threads(), process.PeakWorkingSet64 / 1e6, found);
    }
}
