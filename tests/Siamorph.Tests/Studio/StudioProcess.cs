using System.Diagnostics;

namespace Siamorph.Tests.Studio;

/// <summary>The Studio as a user starts it: `siamorph studio`.</summary>
internal sealed class StudioProcess : IDisposable
{
    private const int Patience = 60_000;
    private readonly List<string> _links = [];

    public StudioProcess(string root, int port = 0)
    {
        var start = new ProcessStartInfo(StudioHost.Program[0],
            [.. StudioHost.Program.Skip(1), "studio", "--root", root, "--port", $"{port}"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        Process = Process.Start(start)!;
        Process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is { } text && text.StartsWith("http://", StringComparison.Ordinal)) lock (_links) _links.Add(text);
        };
        Process.ErrorDataReceived += (_, _) => { };
        Process.BeginOutputReadLine();
        Process.BeginErrorReadLine();
        Assert.True(SpinWait.SpinUntil(() => Process.HasExited || Count > 0, Patience), "the Studio did not start");
        Assert.False(Process.HasExited);
    }

    public Process Process { get; }

    public string Link
    {
        get
        {
            lock (_links) return _links[^1];
        }
    }

    private int Count
    {
        get
        {
            lock (_links) return _links.Count;
        }
    }

    /// <summary>SIGKILL, to it alone.</summary>
    public void Kill()
    {
        Process.Kill();
        Process.WaitForExit();
    }

    public void Dispose()
    {
        if (!Process.HasExited) Kill();
        Process.Dispose();
    }
}
