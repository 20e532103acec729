using System.Text;

namespace Siamorph.Cli.Slurm;

/// <summary>The shell scripts that Slurm runs.</summary>
internal static class SlurmScript
{
    // `wait` comes back early when a signal arrives; the loop waits for the program's own end and code. 130 says that it has
    // saved and can go on: Slurm's warning before the time limit came. Where the job is being ended on purpose it is no longer
    // RUNNING.
    private const string Rest = """
        child=
        trap '[ -n "$child" ] && kill -TERM "$child" 2>/dev/null' TERM
        "$@" --threads "${SLURM_CPUS_PER_TASK:-${SLURM_CPUS_ON_NODE:-1}}" &
        child=$!
        wait "$child"; code=$?
        while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
        if [ "$code" = 130 ] && [ "$(squeue --noheader --jobs="$SLURM_JOB_ID" --format=%T)" = RUNNING ]; then
          echo "Out of time; queued again."
          scontrol requeue "$SLURM_JOB_ID" && sleep 300
        fi
        exit "$code"

        """;

    /// <summary>Runs one of several commands, by the array's index.</summary>
    public static string Of(IReadOnlyList<IReadOnlyList<string>> commands)
    {
        var script = new StringBuilder(
            "#!/bin/sh\n# Written by siamorph: each task of this job array runs one stage of an experiment.\ncase "
                + "\"$SLURM_ARRAY_TASK_ID\" in\n");
        for (var i = 0; i < commands.Count; i++)
            script.Append($"  {i}) set -- {string.Join(' ', commands[i].Select(Quoted))} ;;\n");
        return script.Append("esac\n").Append(Rest.ReplaceLineEndings("\n")).ToString();
    }

    /// <summary>A word that a shell takes as it is.</summary>
    internal static string Quoted(string word) => $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
