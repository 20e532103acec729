using System.CommandLine;
using System.CommandLine.Parsing;

namespace Siamorph.Cli;

/// <summary>The first thing wrong with a command line, as one line with a hint.</summary>
internal static class UsageError
{
    /// <summary>Null where the command line can run.</summary>
    public static string? In(ParseResult parsed)
    {
        // An unknown option is taken for an argument where one may stand.
        var mistaken = parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(a => a.Tokens).Select(t => t.Value)
            .FirstOrDefault(t => t.StartsWith("--", StringComparison.Ordinal));
        if (parsed.Errors.Count == 0 && mistaken is null) return null;
        var command = parsed.CommandResult.Command;
        var path = PathOf(parsed.CommandResult);
        if ((mistaken ?? (parsed.UnmatchedTokens is [var first, ..] ? first : null)) is { } token)
            return $"{Unmatched(token, command, path)} See '{path} --help'.";
        if (command.Subcommands.Count > 0 && command.Action is null)
            return $"'{path}' needs a command: {string.Join(", ", command.Subcommands.Select(c => c.Name))}. See '"
                + $"{path} --help'.";
        return $"{Told(parsed.Errors[0])} See '{path} --help'.";
    }

    private static string Unmatched(string token, Command command, string path)
    {
        if (command.Options.OfType<IFlag>().Select(f => f.Hint(token)).FirstOrDefault(h => h is not null) is { } hint)
            return $"'{token}' {hint}";
        if (token.StartsWith('-'))
            return $"'{token}' is not an option of '{path}'.{DidYouMean(token, OptionNames(command))}";
        if (command.Subcommands.Count > 0 && command.Action is null)
            return $"'{token}' is not a command of '{path}'.{DidYouMean(token, command.Subcommands.Select(c => c.Name))}";
        return $"'{token}' is an unexpected argument for '{path}'.";
    }

    private static string Told(ParseError error) => error.SymbolResult switch
    {
        OptionResult { IdentifierToken: null } option => $"{option.Option.Name} is missing.",
        OptionResult { Tokens: [] } option => $"{option.Option.Name} needs a value.",
        OptionResult option when Core(option.Option.ValueType) is var type && NumberText.Reads(type) =>
            $"{option.Option.Name} {option.Tokens[^1].Value}: expected {NumberText.Expected(type)}"
            + $"{NumberText.Hint(option.Tokens[^1].Value)}.",
        OptionResult option => $"{option.Option.Name} {string.Join(' ', option.Tokens)}: not a valid value for this option.",
        ArgumentResult { Tokens: [] } argument => $"<{argument.Argument.Name}> is missing.",
        _ => $"{error.Message.TrimEnd('.')}.",
    };

    private static Type Core(Type type) => Nullable.GetUnderlyingType(type) ?? type;

    private static string DidYouMean(string token, IEnumerable<string> names) =>
        ClosestName.To(token, names) is { } name ? $" Did you mean '{name}'?" : "";

    private static IEnumerable<string> OptionNames(Command command) =>
        command.Options.Append(Verb.Threads).Append(Verb.NoKernels).Append(Verb.Verbose).Select(o => o.Name);

    private static string PathOf(CommandResult result) =>
        result.Parent is CommandResult parent ? $"{PathOf(parent)} {result.Command.Name}" : "siamorph";
}
