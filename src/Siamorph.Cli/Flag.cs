using System.CommandLine;
using Siamorph.Training;

namespace Siamorph.Cli;

/// <summary>A flag that may have had another name.</summary>
internal interface IFlag
{
    /// <summary>What to say of a word of the command line that is this flag's former name; null of any other.</summary>
    string? Hint(string word);
}

/// <inheritdoc cref="IFlag"/>
internal sealed class Flag<T>(string name, string? formerName, FormerNameAttribute? former) : Option<T>(name), IFlag
{
    public string? Hint(string word) => formerName is not null
        && word.Split('=', ':')[0] == formerName ? former!.Hint(Name) : null;
}
