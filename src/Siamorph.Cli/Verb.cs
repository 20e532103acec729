using System.CommandLine;
using Siamorph.Training;
using TorchSharp;

namespace Siamorph.Cli;

/// <summary>Gives a command its body.</summary>
internal static class Verb
{
    /// <summary>Torch's threads within one operation; for every verb.</summary>
    public static Option<int?> Threads { get; } = new NumberOption<int?>("--threads")
    {
        Description = "Threads for tensor operations (default: the number of cores).",
        HelpName = "n",
        Recursive = true,
    };

    private const string KernelSwitch = "Siamorph.Kernels.Off"; // the library's

    /// <summary>For processes that help this one: `--no-kernels` where it was given.</summary>
    public static string[] KernelFlag => AppContext.TryGetSwitch(KernelSwitch, out var off) && off ? [NoKernels.Name] : [];

    /// <summary>Leaves all computing to libtorch; for every verb.</summary>
    public static Option<bool> NoKernels { get; } = new("--no-kernels")
    {
        Description = "Computes everything with libtorch; slower, for comparing results.",
        Recursive = true,
    };

    /// <summary>Shows the stack of an unexpected failure; for every verb.</summary>
    public static Option<bool> Verbose { get; } = new("--verbose")
    {
        Description = "Shows all details of an unexpected error.",
        Recursive = true,
    };

    /// <summary>Writes progress for other programs; for every verb.</summary>
    public static Option<string?> Progress { get; } = new("--progress")
    {
        Description = "Also writes progress to a file, as lines of JSON.",
        HelpName = "file",
        Recursive = true,
    };

    /// <summary>Runs <paramref name="body"/> for this command.</summary>
    public static Command Runs(this Command command, Action<VerbContext> body)
    {
        command.SetAction(parsed => Run(parsed, body));
        return command;
    }

    /// <summary>Runs <paramref name="body"/> with the resolved options, or prints those when `--dry-run` is given.</summary>
    public static Command Runs<T>(this Command command, OptionsBinder<T> binder, Action<VerbContext, T> body) where T : class
    {
        binder.AddTo(command);
        return command.Runs(context =>
        {
            var options = binder.Resolve(context.Arguments);
            if (context.Get(binder.DryRun)) context.Out.WriteLine(OptionsFile.ToJson(options));
            else body(context, options);
        });
    }

    private static int Run(ParseResult parsed, Action<VerbContext> body)
    {
        var surroundings = (Application.Surroundings)parsed.InvocationConfiguration;
        using var shown = new ConsoleMonitor(surroundings.Error, surroundings.Interactive, surroundings.Cancellation);
        using var written = parsed.GetValue(Progress) is { } path ? new ProgressFile(shown, path) : null;
        var context = new VerbContext(parsed, written ?? (IMonitor)shown, surroundings.Output);
        if (parsed.GetValue(Threads) is { } threads) UseThreads(threads);
        if (parsed.GetValue(NoKernels)) AppContext.SetSwitch(KernelSwitch, true);
        try
        {
            body(context);
            return context.ExitCode;
        }
        catch (OperationCanceledException) when (context.GoOnWith is { } next)
        {
            throw new OperationCanceledException($"stopped. Continue with: {next}");
        }
    }

    private static void UseThreads(int threads)
    {
        if (threads is < 1 or > 1024) throw new InvalidOptionsException($"--threads {threads}: give a number from 1 to 1024.");
        torch.set_num_threads(threads);
    }
}
