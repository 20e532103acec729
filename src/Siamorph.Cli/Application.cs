using System.CommandLine;
using System.CommandLine.Help;
using System.Runtime.InteropServices;

namespace Siamorph.Cli;

/// <summary>Parses, runs one verb, and turns whatever happens into lines and an exit code.</summary>
internal static class Application
{
    public const int Failure = 2;            // bad input: one line says what to do
    public const int Unexpected = 70;        // our fault (EX_SOFTWARE of sysexits.h)
    private const int UserSignal = 10;       // SIGUSR1 on Linux
    public const int Stopped = 130;          // Ctrl-C, as shells have it

    /// <summary>What a verb finds around it; a test gives its own.</summary>
    public sealed class Surroundings : InvocationConfiguration
    {
        public CancellationToken Cancellation { get; init; }
        public bool Interactive { get; init; }
        public string? FailureFolder { get; init; } // where the details of an unexpected failure are kept
    }

    /// <summary>Says why nothing can run on this machine.</summary>
    public static int Refuse(string fault) => Say(Console.Error, fault, Failure);

    /// <summary>Runs with the process's own signals.</summary>
    public static int RunFromConsole(IReadOnlyList<Command> verbs, string[] args, TextWriter output, TextWriter error)
    {
        using var stop = new CancellationTokenSource();
        void Stop(PosixSignalContext signal)
        {
            // A second Ctrl-C ends the process at once. Schedulers send SIGTERM more than once, by several ways, and SIGKILL when
            // they mean it.
            signal.Cancel = !stop.IsCancellationRequested || signal.Signal != PosixSignal.SIGINT;
            if (stop.IsCancellationRequested) return;
            error.WriteLine("Stopping after this step. Press Ctrl-C again to stop at once.");
            stop.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        // mpirun hands it on at once
        using var user = OperatingSystem.IsLinux() ? PosixSignalRegistration.Create((PosixSignal)UserSignal, Stop) : null;
        return Run(verbs, args, new Surroundings
        {
            Output = output,
            Error = error,
            Cancellation = stop.Token,
            Interactive = !Console.IsErrorRedirected && error == Console.Error,
            FailureFolder = CrashReport.DefaultFolder,
        });
    }

    /// <summary>Runs one command line.</summary>
    /// <returns>0, or one of this class's exit codes.</returns>
    public static int Run(IReadOnlyList<Command> verbs, string[] args, Surroundings surroundings)
    {
        surroundings.EnableDefaultExceptionHandler = false;
        surroundings.ProcessTerminationTimeout = null;
        var root = new Command("siamorph",
            "Generates synthetic medical image-mask pairs with Siamese-Diffusion and measures whether they help segmentation.");
        root.Options.Add(new HelpOption { Description = "Shows this help, or the help of a command." });
        root.Options.Add(new VersionOption
        {
            Description = "Shows the version; with --verbose also the details needed for a bug report.",
            Action = new VersionFacts(),
        });
        root.Options.Add(Verb.Threads);
        root.Options.Add(Verb.NoKernels);
        root.Options.Add(Verb.Verbose);
        root.Options.Add(Verb.Progress);
        foreach (var verb in verbs) root.Subcommands.Add(verb);

        var parsed = root.Parse(args.Length == 0 ? ["--help"] : args);
        try
        {
            if (parsed.Action is not VersionFacts && UsageError.In(parsed) is { } fault)
                return Say(surroundings.Error, fault, Failure);
            return parsed.Invoke(surroundings);
        }
        catch (Exception e)
        {
            return Explain(e, surroundings, parsed.GetValue(Verb.Verbose));
        }
    }

    private static int Explain(Exception e, Surroundings here, bool verbose) => e switch
    {
        SiamorphException or IOException or UnauthorizedAccessException => Say(here.Error, e.Message, Failure),
        OperationCanceledException => Say(here.Error, IsTheDefault(e) ? "stopped." : e.Message, Stopped),
        _ => Say(here.Error, CrashReport.Describe(e, verbose, here.FailureFolder), Unexpected),
    };

    private static bool IsTheDefault(Exception e) =>
        e.Message == new OperationCanceledException().Message || e.Message == new TaskCanceledException().Message;

    private static int Say(TextWriter error, string message, int exitCode)
    {
        foreach (var line in message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            error.WriteLine($"siamorph: {line}");
        return exitCode;
    }
}
