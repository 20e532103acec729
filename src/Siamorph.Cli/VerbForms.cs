using System.CommandLine;
using System.Text.RegularExpressions;
using Siamorph.Studio.Jobs;

namespace Siamorph.Cli;

/// <summary>Makes forms of commands: a verb's flags, defaults and help texts are told in one place.</summary>
internal static partial class VerbForms
{
    private static readonly string[] Offered =
        ["train", "synthesize", "segment train", "experiment", "safety", "study make", "data split", "data check",
        "evaluate images"];

    // These are the Studio's own affair.
    private static readonly string[] Left =
        ["--help", "--options-help", "--dry-run", "--resume", "--serve", "--progress", "--verbose", "--set", "--options"];

    // Options whose text is a place below the root.
    private static readonly string[] Paths = ["unlabelled", "initial-weights", "codec-weights", "base-weights", "tokenizer"];

    public static IReadOnlyList<VerbForm> Of(IReadOnlyList<Command> verbs) =>
        [.. Offered.Select(name => Form(name, Find(verbs, name.Split(' '))))];

    private static Command Find(IEnumerable<Command> commands, ReadOnlySpan<string> path)
    {
        var name = path[0];
        var command = commands.First(c => c.Name == name);
        return path.Length == 1 ? command : Find(command.Subcommands, path[1..]);
    }

    private static VerbForm Form(string name, Command command)
    {
        var flags = command.Options.Where(o => !Left.Contains(o.Name)).ToList();
        return new(name, command.Description ?? "",
            [.. command.Arguments.Select(Field), .. flags.Where(IsFirst).Select(Field),
                .. flags.Where(o => !IsFirst(o)).Select(Field)],
            command.Options.Any(o => o.Name == "--dry-run"))
        {
            ResumeFlag = command.Options.Any(o => o.Name == "--resume") ? "--resume" : null,
        };
    }

    private static bool IsFirst(Option option) => !option.Hidden && (option.Required || IsFolder(option.HelpName));

    private static FormField Field(Argument argument) => new(argument.Name, argument.Description ?? "", FieldKind.Existing)
    {
        Required = argument.Arity.MinimumNumberOfValues > 0, Common = true,
    };

    private static FormField Field(Option option)
    {
        var (help, byDefault) = (option.Description ?? "", "");
        if (DefaultValue().Match(help) is { Success: true } match)
            (help, byDefault) = (help[..match.Index].Trim(), match.Groups[1].Value);
        return new(option.Name, help, KindOf(option))
        {
            Required = option.Required, Common = !option.Hidden, Choices = Choices(option), Default = byDefault,
        };
    }

    [GeneratedRegex(@"\s*\[default: (.*)\]\.?$")]
    private static partial Regex DefaultValue();

    private static FieldKind KindOf(Option option) =>
        option.ValueType == typeof(bool) ? FieldKind.Switch
        : Choices(option).Length > 0 ? FieldKind.Choice
        : option.Name == "--out" ? FieldKind.New
        : IsFolder(option.HelpName) || Paths.Any(p => option.Name.EndsWith(p, StringComparison.Ordinal)) ? FieldKind.Existing
        : FieldKind.Text;

    private static bool IsFolder(string? helpName) => helpName is "folder" or "file";

    private static string[] Choices(Option option) =>
        option.HelpName?.Contains('|', StringComparison.Ordinal) == true ? option.HelpName.Split('|') : [];
}
