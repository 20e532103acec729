namespace Siamorph.Studio.Jobs;

/// <summary>A verb as a form: what its command line takes.</summary>
/// <param name="Verb">As typed, such as "segment train".</param>
/// <param name="Help">What it does.</param>
/// <param name="Fields">Arguments first, then the flags that people change, then the others.</param>
/// <param name="CanCheck">It has `--dry-run`.</param>
internal sealed record VerbForm(string Verb, string Help, IReadOnlyList<FormField> Fields, bool CanCheck)
{
    /// <summary>How addresses name it.</summary>
    public string Key => Verb.Replace(' ', '-');

    /// <summary>What a job of it is resumed with; null where the same command goes on by itself.</summary>
    public string? ResumeFlag { get; init; }
}

/// <summary>An argument or flag.</summary>
/// <param name="Name">The argument's name, or the flag with its dashes.</param>
/// <param name="Help">What it means.</param>
/// <param name="Kind">How it is asked for.</param>
internal sealed record FormField(string Name, string Help, FieldKind Kind)
{
    public bool IsArgument => !Name.StartsWith('-');

    public bool Required { get; init; }

    /// <summary>Shown at once; the others are folded away.</summary>
    public bool Common { get; init; }

    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>What holds where nothing is filled in; empty where that is nothing.</summary>
    public string Default { get; init; } = "";

    public string Label => Name.TrimStart('-').Replace('-', ' ');
}

/// <summary>How a value is asked for.</summary>
internal enum FieldKind
{
    /// <summary>Any text.</summary>
    Text,

    /// <summary>Given or not.</summary>
    Switch,

    /// <summary>One of a few words.</summary>
    Choice,

    /// <summary>A folder or file that exists below the root.</summary>
    Existing,

    /// <summary>A folder that the verb will make below the root.</summary>
    New,
}
