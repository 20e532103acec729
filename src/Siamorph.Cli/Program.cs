// How a verb is added:
//  1. `XxxCommand.cs` beside this file has `static Command Create()`: it makes the Command, its arguments and, for the
//     verb's options record, an `OptionsBinder<XxxOptions>` (one flag a property, `--options FILE`, `--dry-run`).
//  2. It ends with `command.Runs(context => …)` or `command.Runs(binder, (context, options) => …)`. That body calls ONE
//     method of the library, hands it `context.Monitor`, and renders the result to `context.Out`.
//  3. It is listed in `Verbs` below. A group such as `data check` is a Command that holds the commands of its verbs.
// Nothing else is needed: faults, exit codes, Ctrl-C, progress, `--threads` and `--verbose` are the same for all verbs.
using System.CommandLine;

namespace Siamorph.Cli;

/// <summary>The command `siamorph`.</summary>
internal static class Program
{
    public static int Main(string[] args)
    {
        if (SystemLibraries.Fault() is { } fault) return Application.Refuse(fault);
        NativeSettings.Apply(); // before anything touches torch
        AppContext.SetSwitch(NoCollectionRegion.SwitchName, true);
        return Ranks.Run(args, (output, error) => Application.RunFromConsole(Verbs(), args, output, error))
            ?? Application.RunFromConsole(Verbs(), args, Console.Out, Console.Error);
    }

    /// <summary>Every verb, in the order in which help shows them.</summary>
    internal static IReadOnlyList<Command> Verbs() =>
    [
        DemoCommand.Create(),
        DataCommand.Create(),
        TrainCommand.Create(),
        BaseCommand.Create(),
        SynthesizeCommand.Create(),
        SegmentCommand.Create(),
        EvaluateCommand.Create(),
        BenchCommand.Create(),
        ExperimentCommand.Create(),
        SafetyCommand.Create(),
        StudyCommand.Create(),
        ReportCommand.Create(),
        WeightsCommand.Create(),
        StudioCommand.Create(),
        JobCommand.Create(),
    ];
}
