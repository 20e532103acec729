using System.CommandLine.Parsing;

namespace Siamorph.Cli.Slurm;

/// <summary>How stages are handed to Slurm.</summary>
internal sealed record SlurmSettings
{
    private static readonly string[] _ours =
        ["--array", "-a", "--dependency", "-d", "--wrap", "--output", "-o", "--parsable", "--job-name", "-J"];

    /// <summary>The words that start this program, on every node.</summary>
    public required IReadOnlyList<string> Program { get; init; }

    /// <summary>Threads of each stage; null takes the processors that Slurm grants.</summary>
    public int? Threads { get; init; }

    /// <summary>The user's own words for sbatch.</summary>
    public IReadOnlyList<string> Options { get; init; } = [];

    /// <summary>How often is looked: more seldom the longer nothing changes.</summary>
    public (TimeSpan Shortest, TimeSpan Longest) Look { get; init; } = (TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(30));

    /// <summary>How long a job may be over before its stage counts as failed: files of other machines appear late.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Splits the value of `--slurm-options` as a shell would.</summary>
    /// <exception cref="InvalidOptionsException">It sets what the leader has to set.</exception>
    public static IReadOnlyList<string> Split(string? text)
    {
        var words = CommandLineParser.SplitCommandLine(text ?? "").ToList();
        if (words.FirstOrDefault(w => _ours.Contains(w.Split('=')[0])) is { } taken)
            throw new InvalidOptionsException($"--slurm-options {taken}: the experiment sets this itself. Leave it out.");
        return words;
    }
}
