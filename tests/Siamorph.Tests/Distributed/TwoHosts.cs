using System.Diagnostics;

namespace Siamorph.Tests.Distributed;

/// <summary>
/// Two "hosts" on this machine: network namespaces with host names of their own, joined by a virtual wire, so that ranks reach
/// each other by the network alone. Needs root, iproute2 and a system that allows namespaces.
/// </summary>
internal sealed class TwoHosts : IDisposable
{
    private const string Ip = "/usr/sbin/ip", Net = "10.77.0";

    private readonly string[] _names = [.. new[] { "a", "b" }.Select(n => $"siamorph-{n}-{Environment.ProcessId}")];
    private readonly string _agent;

    public TwoHosts(TemporaryFolder folder)
    {
        if (!File.Exists(Ip)) Assert.Skip("ip is not here.");
        if (!Do("netns", "add", _names[0])) Assert.Skip("Network namespaces are not allowed here.");
        Assert.True(Do("netns", "add", _names[1]));
        var (first, second) = ($"sa{Environment.ProcessId}", $"sb{Environment.ProcessId}");
        Assert.True(Do("link", "add", first, "netns", _names[0], "type", "veth", "peer", "name", second, "netns", _names[1]));
        foreach (var (name, end, number) in new[] { (_names[0], first, 1), (_names[1], second, 2) })
        {
            Assert.True(Do("-n", name, "addr", "add", $"{Net}.{number}/24", "dev", end));
            Assert.True(Do("-n", name, "link", "set", end, "up"));
            Assert.True(Do("-n", name, "link", "set", "lo", "up"));
        }
        // What Open MPI starts processes on another host with: called with the host's name and a command.
        _agent = folder["agent"];
        File.WriteAllText(_agent, $"host=$1; shift\nexec {Ip} netns exec \"$host\" unshare -u sh -c \"hostname $host; $*\"\n");
    }

    /// <summary>The words that run a command as two ranks, one on each host.</summary>
    public string[] Launch(string mpirun, IEnumerable<string> command)
    {
        string[] words =
        [
            mpirun, "--allow-run-as-root", "-H", $"{_names[0]}:1,{_names[1]}:1", "-n", "2", "--bind-to", "none", "--mca",
            "plm", "rsh",
            "--mca", "plm_rsh_agent", $"sh {_agent}", "--mca", "oob_tcp_if_include", $"{Net}.0/24", "--mca", "pml", "ob1",
            "--mca", "btl", "self,tcp", "--mca", "btl_tcp_if_include", $"{Net}.0/24", .. command,
        ];
        return [Ip, "netns", "exec", _names[0], "unshare", "-u", "sh", "-c", $"hostname {_names[0]}; exec \"$@\"",
            "sh", .. words];
    }

    public void Dispose()
    {
        foreach (var name in _names) Do("netns", "del", name); // the wire goes with its ends
    }

    private static bool Do(params string[] words)
    {
        using var process = Process.Start(new ProcessStartInfo(Ip, words)
        {
            RedirectStandardError = true, RedirectStandardOutput = true,
        })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
