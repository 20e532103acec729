using System.Collections.Concurrent;
using System.Text.Json;
using Siamorph.Synthesis;

namespace Siamorph.Cli;

/// <summary>
/// `synthesize --serve`: reads requests, a line of JSON each, and answers them one after another on standard output, which
/// carries nothing else. A bad request gets an error and is survived; the end of the input, once all is answered, is the end.
/// </summary>
internal sealed class SynthesisServer(SynthesisSession synthesizer, TextReader input, TextWriter output)
{
    private readonly Lock _lock = new();
    private CancellationTokenSource? _drawing;

    /// <summary>Serves until the input ends.</summary>
    /// <exception cref="OperationCanceledException">The user asked to stop.</exception>
    public void Run(CancellationToken stop)
    {
        Say(new() { Model = synthesizer.Model });
        using var lines = new BlockingCollection<DrawRequest>();
        var ear = new Thread(() => Listen(lines)) { IsBackground = true };
        ear.Start();
        foreach (var request in lines.GetConsumingEnumerable(stop)) Answer(request, stop);
    }

    // On a thread of its own, so that "stop" is heard while an image is drawn.
    private void Listen(BlockingCollection<DrawRequest> lines)
    {
        for (var number = 1; input.ReadLine() is { } line; number++)
        {
            if (string.IsNullOrWhiteSpace(line)) continue;
            if (Parse(line, number) is not { } request) continue;
            if (!request.Stop) lines.Add(request);
            else lock (_lock) _drawing?.Cancel();
        }
        lines.CompleteAdding();
    }

    private DrawRequest? Parse(string line, int number)
    {
        try
        {
            if (JsonSerializer.Deserialize<DrawRequest>(line, DrawRequest.Json) is { } request) return request;
            Say(new() { Error = $"line {number}: null is not a request." });
        }
        catch (JsonException e)
        {
            Say(new() { Error = $"line {number}: not a request as JSON ({e.Message.Split(" Path:")[0].TrimEnd('.')})." });
        }
        return null;
    }

    private void Answer(DrawRequest request, CancellationToken stop)
    {
        using var own = CancellationTokenSource.CreateLinkedTokenSource(stop);
        lock (_lock) _drawing = own;
        try
        {
            Say(synthesizer.Draw(request, Say, own.Token));
        }
        catch (SiamorphException e)
        {
            Refuse(
                string.Join(' ', e.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)));
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            Refuse("stopped.");
        }
        finally
        {
            lock (_lock) _drawing = null;
        }

        void Refuse(string error) => Say(new() { Request = request.Request?.DeepClone(), Error = error });
    }

    private void Say(DrawAnswer answer)
    {
        var line = JsonSerializer.Serialize(answer, DrawRequest.Json);
        lock (_lock)
        {
            output.WriteLine(line);
            output.Flush();
        }
    }
}
