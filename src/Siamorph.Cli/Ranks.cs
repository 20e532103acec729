using System.Diagnostics;
using System.Globalization;
using Siamorph.Distributed;

namespace Siamorph.Cli;

/// <summary>
/// This process as one of several that mpirun or srun started. The launcher tells by the environment, so nothing has to be asked
/// for: the same command line trains on one process or on many.
/// </summary>
internal static class Ranks
{
    private const double UsualPatience = 30; // minutes: longer than a step of any network takes
    private static readonly TimeSpan Hearing = TimeSpan.FromSeconds(1);

    /// <summary>The group of this process.</summary>
    public static IProcessGroup Group { get; private set; } = SingleProcess.Instance;

    /// <summary>Runs a command line on all ranks.</summary>
    /// <returns>Its exit code; null where this is no process of a launcher.</returns>
    public static int? Run(string[] args, Func<TextWriter, TextWriter, int> run)
    {
        if (LaunchedRank.Of(Environment.GetEnvironmentVariable) is not { Size: > 1 } launched) return null;
        if (args is not (["train", ..] or ["bench", "ranks", ..])) return Refuse(launched.Rank,
            $"'{string.Join(' ', args.Take(1))}' runs in one process only. Start it without mpirun or srun; only train and "
                + "bench ranks run on several ranks.");
        // Open MPI gives ranks a terminal, to which .NET would send control characters that end up in what is piped on.
        Environment.SetEnvironmentVariable("TERM", "dumb");
        try
        {
            using var group = Mpi.Join(launched, Patience(), Tell);
            using var cards = new CardGroup(group, () => NcclIsOff() ? null : Nccl.Open(), Console.Error.WriteLine);
            Group = cards;
            var clock = Stopwatch.StartNew();
            var code = group.Rank == 0 ? run(Console.Out, Console.Error) : Quietly(run);
            if (group.Rank == 0 && code == 0 && args[0] == "train")
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{group.Size} ranks: {100 * group.InCollectives / clock.Elapsed:0} % of the time was spent waiting for other "
                    + $"ranks and summing gradients."));
            if (code is not (0 or Application.Stopped)) group.Abort(code);
            return code;
        }
        catch (SiamorphException e)
        {
            return Refuse(launched.Rank, e.Message);
        }
    }

    // Rank 0 speaks for all. What another one has to say of a fault is said where rank 0 does not say it first and end all.
    private static int Quietly(Func<TextWriter, TextWriter, int> run)
    {
        using var said = new StringWriter();
        var code = run(TextWriter.Null, said);
        if (code is 0 or Application.Stopped) return code;
        Thread.Sleep(Hearing);
        foreach (var line in said.ToString().Split('\n').Where(l => l.StartsWith("siamorph:", StringComparison.Ordinal)))
            Console.Error.WriteLine(line);
        return code;
    }

    private static TimeSpan Patience() => TimeSpan.FromMinutes(
        double.TryParse(Environment.GetEnvironmentVariable("SIAMORPH_RANK_PATIENCE_MINUTES"), CultureInfo.InvariantCulture,
            out var minutes) && minutes > 0 ? minutes : UsualPatience);

    private static bool NcclIsOff() => Environment.GetEnvironmentVariable("SIAMORPH_NCCL") is "off" or "0";

    private static int Refuse(int rank, string message)
    {
        if (rank == 0) Tell(message);
        return Application.Failure;
    }

    private static void Tell(string message) => Console.Error.WriteLine($"siamorph: {message}");
}
