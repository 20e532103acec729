namespace Siamorph.Experiment.Scheduling;

/// <summary>
/// How long a file that another machine has written is looked for. Network file systems keep what they know of a folder for
/// up to a minute, also that a file is not there.
/// </summary>
/// <param name="Longest">After that it counts as missing.</param>
/// <param name="Between">From look to look.</param>
internal readonly record struct RetryPolicy(TimeSpan Longest, TimeSpan Between)
{
    /// <summary>What NFS's caches ask for by default.</summary>
    public static RetryPolicy ForNetworks => new(TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(2));

    /// <summary>Looks once.</summary>
    public static RetryPolicy None => default;

    /// <summary>Looks until <paramref name="found"/> says yes.</summary>
    /// <returns>Whether it did.</returns>
    public bool Until(Func<bool> found, CancellationToken stop)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (!found())
        {
            if (clock.Elapsed >= Longest) return false;
            stop.WaitHandle.WaitOne(Between);
            stop.ThrowIfCancellationRequested();
        }
        return true;
    }
}
