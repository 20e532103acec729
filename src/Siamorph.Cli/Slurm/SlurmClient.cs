using System.ComponentModel;
using System.Diagnostics;

namespace Siamorph.Cli.Slurm;

/// <summary>Calls Slurm's own commands.</summary>
/// <param name="folder">Where they lie; null takes those on the path.</param>
internal sealed class SlurmClient(string? folder = null)
{
    // Words of `squeue` for jobs that will not run any more.
    private static readonly HashSet<string> _ended =
        ["COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE",
        "PREEMPTED", "REVOKED"];

    /// <summary>Hands a script to Slurm.</summary>
    /// <returns>The job's number.</returns>
    /// <exception cref="SiamorphException">There is no Slurm, or it refuses; its words are kept.</exception>
    public string Submit(IEnumerable<string> options, string script)
    {
        var (exitCode, output, error) = Call("sbatch", [.. options, script]);
        var id = output.Trim().Split(';')[0]; // "12" or "12;cluster"
        if (exitCode == 0 && id.Length > 0 && id.All(char.IsAsciiDigit)) return id;
        throw new SiamorphException(
            $"sbatch refused a job: {FirstLine(error.Length > 0 ? error : output)} Check --slurm-options.");
    }

    /// <summary>
    /// The user's jobs that Slurm remembers, each task of an array by its own name, such as "12_0"; null where it gives no
    /// answer.
    /// </summary>
    public IReadOnlyDictionary<string, SlurmJobState>? Jobs()
    {
        var (exitCode, output, _) = Call("squeue", ["--noheader", "--array", "--states=all", "--me", "--format=%i %T"]);
        if (exitCode != 0) return null;
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Trim().Split(' '))
            .Where(w => w.Length >= 2)
            .GroupBy(w => w[0]).ToDictionary(w => w.Key, w => StateOf(w.Last()[1]));
    }

    /// <summary>Takes a job back; one that is over already is nothing to speak of.</summary>
    public void Cancel(string job) => Call("scancel", [job]);

    private static SlurmJobState StateOf(string word) =>
        _ended.Contains(word) ? SlurmJobState.Ended : word == "RUNNING" ? SlurmJobState.Running : SlurmJobState.Waiting;

    private (int ExitCode, string Output, string Error) Call(string command, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(folder is null ? command : Path.Combine(folder, command), arguments)
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        try
        {
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output, error.Result);
        }
        catch (Win32Exception e)
        {
            throw new SiamorphException($"--executor slurm: {command} can't be started here ({e.Message}). Run this on a machine "
                + $"that submits to Slurm, or leave --executor out.", e);
        }
    }

    private static string FirstLine(string text) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault("no reason given").Trim().TrimEnd('.') + ".";
}

/// <summary>What has become of a job.</summary>
internal enum SlurmJobState
{
    Waiting,
    Running,
    Ended,
}
