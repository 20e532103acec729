using System.CommandLine;
using System.CommandLine.Invocation;

namespace Siamorph.Cli;

/// <summary>`--options-help`: every option of a verb, one after the other, whatever else the command line lacks.</summary>
internal sealed class OptionsHelp(IReadOnlyList<OptionFlag> flags) : SynchronousCommandLineAction
{
    public override bool Terminating => true;

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Every option can be set by its flag, by --set with its key, or by its key in the options file.");
        foreach (var flag in flags)
        {
            output.WriteLine();
            output.WriteLine($"{flag.Key} <{flag.Kind}>   {flag.Option.Name}");
            output.WriteLine($"    {flag.Option.Description}");
        }
        return 0;
    }
}
