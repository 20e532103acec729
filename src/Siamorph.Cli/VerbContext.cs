using System.CommandLine;

namespace Siamorph.Cli;

/// <summary>What a verb's body gets.</summary>
/// <param name="Arguments">The parsed command line.</param>
/// <param name="Monitor">Progress, notes and cancellation for the library; shown on standard error.</param>
/// <param name="Out">Standard output: the verb's result and nothing else.</param>
internal sealed record VerbContext(ParseResult Arguments, IMonitor Monitor, TextWriter Out)
{
    /// <summary>The command that goes on where this one was stopped; printed after Ctrl-C.</summary>
    public string? GoOnWith { get; set; }

    /// <summary>What this verb returns to the shell; 0 unless the body says otherwise.</summary>
    public int ExitCode { get; set; }

    /// <summary>The value of an argument that the parser has demanded.</summary>
    public T Get<T>(Argument<T> argument) => Arguments.GetRequiredValue(argument);

    /// <summary>The value of an option, or its default.</summary>
    public T? Get<T>(Option<T> option) => Arguments.GetValue(option);
}
