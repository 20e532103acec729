using System.Diagnostics;
using static TorchSharp.torch;

namespace Siamorph.Distributed;

/// <summary>What it costs ranks to add up a tensor of one size.</summary>
/// <param name="Megabytes">Of float32, in units of 10⁶ bytes.</param>
/// <param name="Milliseconds">Median.</param>
/// <param name="GigabitsASecond">The tensor's bits by that time: what a ring of two ranks sends and receives.</param>
internal sealed record RankSum(double Megabytes, double Milliseconds, double GigabitsASecond);

/// <summary>What it costs ranks to wait for each other and to add up tensors, as gradients are added up once a step.</summary>
/// <param name="Ranks">How many.</param>
/// <param name="BarrierMilliseconds">Median time to wait for all.</param>
/// <param name="Sums">By size.</param>
internal sealed record RankTiming(int Ranks, double BarrierMilliseconds, IReadOnlyList<RankSum> Sums)
{
    private const int Warming = 2;

    /// <summary>Measures; all ranks have to call it.</summary>
    /// <param name="group">The ranks.</param>
    /// <param name="megabytes">Sizes of tensors, in units of 10⁶ bytes.</param>
    /// <param name="repeats">How often each is timed, after two that are not.</param>
    /// <exception cref="InvalidOptionsException">A size or a count is not above 0.</exception>
    public static RankTiming Measure(IProcessGroup group, IReadOnlyList<double> megabytes, int repeats)
    {
        if (repeats < 1) throw new InvalidOptionsException($"repeats is {repeats}; give 1 or more.");
        if (megabytes.Count == 0 || megabytes.Any(m => m is not (> 0 and <= 100_000)))
            throw new InvalidOptionsException("megabytes: give sizes above 0 and up to 100000, such as 1,20,80.");
        var barrier = Median(group, repeats, group.Barrier);
        return new(group.Size, barrier, [.. megabytes.Select(m => Sum(group, m, repeats))]);
    }

    private static RankSum Sum(IProcessGroup group, double megabytes, int repeats)
    {
        using var values = zeros((long)Math.Ceiling(1e6 * megabytes / sizeof(float)));
        var ms = Median(group, repeats, () => group.Sum(values));
        return new(megabytes, ms, 8e-9 * 1e6 * megabytes / (ms / 1000));
    }

    // Of the slowest rank, each time: the others wait for it.
    private static double Median(IProcessGroup group, int repeats, Action collective)
    {
        var times = new double[repeats];
        for (var i = -Warming; i < repeats; i++)
        {
            group.Barrier();
            var clock = Stopwatch.StartNew();
            collective();
            Span<double> ms = [clock.Elapsed.TotalMilliseconds];
            group.Max(ms);
            if (i >= 0) times[i] = ms[0];
        }
        Array.Sort(times);
        return times[repeats / 2];
    }
}
