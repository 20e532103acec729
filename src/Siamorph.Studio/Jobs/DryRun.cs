using System.Diagnostics;

namespace Siamorph.Studio.Jobs;

/// <summary>What a verb says of a command line before it does anything: `--dry-run` in a process of its own.</summary>
/// <param name="Ok">It could run.</param>
/// <param name="Options">The options as resolved.</param>
/// <param name="Notes">ErrorResponses, or what it would cost.</param>
internal sealed record DryRun(bool Ok, string Options, string Notes)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static async Task<DryRun> Of(
        IReadOnlyList<string> program, IReadOnlyList<string> arguments, string folder, CancellationToken stop)
    {
        var start = new ProcessStartInfo(program[0])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder,
        };
        foreach (var word in program.Skip(1).Concat(arguments).Append("--dry-run")) start.ArgumentList.Add(word);
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Patience);
        try
        {
            var (output, error) = (process.StandardOutput.ReadToEndAsync(limit.Token),
                process.StandardError.ReadToEndAsync(limit.Token));
            await process.WaitForExitAsync(limit.Token);
            return new(process.ExitCode == 0, await output, await error);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            process.Kill(entireProcessTree: true);
            return new(false, "", $"The check took more than {Patience.TotalMinutes:0} minutes and was ended.");
        }
    }
}
