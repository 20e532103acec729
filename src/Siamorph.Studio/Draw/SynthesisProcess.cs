using System.Diagnostics;
using System.Text.Json;
using Siamorph.Synthesis;

namespace Siamorph.Studio.Draw;

/// <summary>
/// A process that keeps a model loaded and draws, `synthesize --serve`: it ends when its input does, so also when this server
/// ends. One request at a time.
/// </summary>
internal sealed class SynthesisProcess : IDisposable
{
    private readonly Process _process;
    private readonly SemaphoreSlim _turn = new(1);
    private string _lastError = "";

    private SynthesisProcess(Process process) => _process = process;

    /// <summary>What is loaded.</summary>
    public DrawingModel Model { get; private set; } = null!;

    public DateTime LastUsed { get; private set; } = DateTime.UtcNow;

    public bool HasEnded => _process.HasExited;

    /// <exception cref="StudioException">The model can't be loaded.</exception>
    public static async Task<SynthesisProcess> Start(IReadOnlyList<string> program, string run, CancellationToken stop)
    {
        var start = new ProcessStartInfo(program[0])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var word in program.Skip(1).Concat(["synthesize", run, "--serve"])) start.ArgumentList.Add(word);
        var child = new SynthesisProcess(Process.Start(start)!);
        child._process.ErrorDataReceived += (_, line) => child._lastError = line.Data ?? child._lastError;
        child._process.BeginErrorReadLine();
        child.Model = (await child.Read(stop)).Model ?? throw new StudioException(422, "The model could not be loaded.");
        return child;
    }

    /// <summary>Draws, and hands on what comes on the way.</summary>
    /// <returns>The last answer: an image or an error.</returns>
    /// <exception cref="StudioException">The process has ended.</exception>
    public async Task<DrawAnswer> Draw(DrawRequest request, Func<DrawAnswer, Task> preview, CancellationToken stop)
    {
        await _turn.WaitAsync(stop);
        try
        {
            LastUsed = DateTime.UtcNow;
            await Send(request);
            using var hurry = stop.Register(() => _ = Send(new() { Stop = true })); // whoever asked has gone
            for (; ; )
            {
                var answer = await Read(CancellationToken.None);
                if (answer.Preview is null) return answer;
                if (!stop.IsCancellationRequested) await preview(answer);
            }
        }
        finally
        {
            LastUsed = DateTime.UtcNow;
            _turn.Release();
        }
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _turn.Dispose();
        _process.Dispose();
    }

    private async Task Send(DrawRequest request)
    {
        await _process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(request, DrawRequest.Json));
        await _process.StandardInput.FlushAsync();
    }

    private async Task<DrawAnswer> Read(CancellationToken stop) =>
        await _process.StandardOutput.ReadLineAsync(stop) is { } line
        ? JsonSerializer.Deserialize<DrawAnswer>(line, DrawRequest.Json)!
        : throw new StudioException(422, _lastError.Length > 0 ? _lastError.Replace("siamorph: ", "", StringComparison.Ordinal)
        : "The process that draws has ended. Try again.");
}
