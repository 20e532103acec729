using System.Net;
using System.Runtime.InteropServices;
using Siamorph.Data.Phantom;
using Siamorph.Studio;
using Siamorph.Studio.Images;

namespace Siamorph.Tests.Studio;

/// <summary>What nobody but the owner of this machine may do.</summary>
public sealed partial class SecurityTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private StudioHost _studio = null!;

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(_folder["root"]);
        _studio = await StudioHost.Start(_folder["root"]);
    }

    public async ValueTask DisposeAsync()
    {
        await _studio.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Link_WorksOnce()
    {
        var link = _studio.Link;
        using var first = _studio.Client();
        Assert.Equal(HttpStatusCode.Redirect, await Status(first, link));
        Assert.Equal(HttpStatusCode.OK, await Status(first, "/"));
        using var second = _studio.Client();
        Assert.Equal(HttpStatusCode.Forbidden, await Status(second, link));
        Assert.Equal(HttpStatusCode.Unauthorized, await Status(second, "/"));
        Assert.NotEqual(link, _studio.Link);
    }

    [Fact]
    public async Task Cookie_IsHiddenFromScripts_AndStaysOnThisSite()
    {
        using var client = _studio.Client();
        using var response = await client.GetAsync(_studio.Link);
        var cookie = Assert.Single(response.Headers.GetValues("Set-Cookie"));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("evil.example:80")]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0:1")]
    public async Task OtherHosts_AreRefused(string host)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Host = host;
        using var response = await _studio.Owner.SendAsync(request);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Theory]
    [InlineData("http://evil.example", true)]
    [InlineData("null", true)]
    [InlineData(null, true)]
    [InlineData("own", false)]
    public async Task ForeignForms_AreRefused(string? origin, bool withToken)
    {
        using var response = await StudioHost.Post(_studio.Owner, "/job/x/stop", withToken ? _studio.Token
            : null, origin == "own" ? _studio.Address : origin);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task EveryAnswer_IsHardened()
    {
        foreach (var address in new[] { "/", "/nowhere", "/assets/studio.js", "/enter?token=x" })
        {
            using var response = await _studio.Owner.GetAsync(address);
            Assert.StartsWith("default-src 'self'", Assert.Single(response.Headers.GetValues("Content-Security-Policy")),
                StringComparison.Ordinal);
            Assert.Contains("frame-ancestors 'none'", Assert.Single(response.Headers.GetValues("Content-Security-Policy")),
                StringComparison.Ordinal);
            Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
            Assert.False(response.Headers.Contains("Server"));
        }
    }

    [Theory]
    [InlineData("..")]
    [InlineData("../secret")]
    [InlineData("a/../../secret")]
    [InlineData("%2e%2e/secret")]
    [InlineData("/etc")]
    [InlineData("leak")]
    [InlineData("leak/inner")]
    [InlineData("a\\..\\..")]
    public async Task Folders_OutsideTheRoot_AreNeverOpened(string at)
    {
        Directory.CreateDirectory(_folder["secret", "inner"]);
        File.WriteAllText(_folder["secret", "manifest.jsonl"], "");
        if (!OperatingSystem.IsWindows() && !Directory.Exists(_folder["root", "leak"]))
            Directory.CreateSymbolicLink(_folder["root", "leak"], _folder["secret"]);
        foreach (var page in new[] { "open", "run", "experiment", "report" })
        {
            var status = await Status(_studio.Owner,
                $"/{page}?at={(at.Contains('%', StringComparison.Ordinal) ? at : Uri.EscapeDataString(at))}");
            Assert.True(status is HttpStatusCode.Forbidden or HttpStatusCode.NotFound, $"{page}: {status}");
        }
        Assert.DoesNotContain("leak", await _studio.Owner.GetStringAsync("/"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reports_HaveNoRights()
    {
        Directory.CreateDirectory(_folder["root", "exp", "stages"]);
        File.WriteAllText(_folder["root", "exp", "options.json"], "{}");
        File.WriteAllText(_folder["root", "exp", "report.html"], "<script>document.title='ran'</script>");
        using var response = await _studio.Owner.GetAsync("/report?at=exp");
        Assert.StartsWith("sandbox;", Assert.Single(response.Headers.GetValues("Content-Security-Policy")),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task LargeBodies_AreRefused()
    {
        // Either the answer comes, or the line is cut while the rest is being sent.
        try
        {
            using var response = await StudioHost.Post(_studio.Owner, "/new/train", _studio.Token, _studio.Address,
                ("data", new string('x', 11 << 20)));
            Assert.True(response.StatusCode is HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.BadRequest,
                response.StatusCode.ToString());
        }
        catch (HttpRequestException e)
        {
            Assert.IsType<IOException>(e.InnerException, exactMatch: false);
        }
        Assert.Equal(HttpStatusCode.OK, await Status(_studio.Owner, "/"));
    }

    [Fact]
    public async Task Pictures_OutsideTheRoot_Pipes_AndBombs_AreRefused()
    {
        PhantomDataset.Write(_folder["secret"], new PhantomOptions { Count = 1 }, NullMonitor.Instance);
        using var shelf = new ImageStore(new RootFolder(_folder["root"]));
        var outside = Directory.GetFiles(_folder["secret", "images"])[0];
        Assert.Equal(403, (await Assert.ThrowsAsync<StudioException>(() => shelf.Encoded(new(outside), null, default))).Status);
        if (OperatingSystem.IsLinux())
        {
            Assert.Equal(0, mkfifo(_folder["root", "pipe.png"], 0x1b6));
            Assert.Equal(404,
                (await Assert.ThrowsAsync<StudioException>(() =>
                    shelf.Encoded(new(_folder["root", "pipe.png"]), null, default))).Status);
        }
        File.WriteAllBytes(_folder["root", "bomb.png"], Bomb());
        await Assert.ThrowsAsync<InvalidDatasetException>(() => shelf.Encoded(new(_folder["root", "bomb.png"]), null, default));
    }

    [Fact]
    public async Task Manifests_ThatNameFilesOutsideTheRoot_ShowNothingOfThem()
    {
        PhantomDataset.Write(_folder["secret"], new PhantomOptions { Count = 1 }, NullMonitor.Instance);
        Directory.CreateDirectory(_folder["root", "d"]);
        var (image, mask) = (Directory.GetFiles(_folder["secret", "images"])[0],
            Directory.GetFiles(_folder["secret", "masks"])[0]);
        File.WriteAllText(_folder["root", "d", "manifest.jsonl"],
            $$"""{"id":"a","image":"{{image}}","mask":"{{mask}}","source":"real"}{{"\n"}}""");
        using var cards = System.Text.Json.JsonDocument.Parse(await _studio.Owner.GetStringAsync("/data/cards?at=d"));
        var card = cards.RootElement[0];
        Assert.Equal(HttpStatusCode.Forbidden, await Status(_studio.Owner, card.GetProperty("image").GetString()!));
        Assert.Equal(HttpStatusCode.Forbidden, await Status(_studio.Owner, $"/edit/{card.GetProperty("key").GetString()}/bits"));
        Assert.Equal("[]", await _studio.Owner.GetStringAsync("/data/outlines?at=d&from=0&count=9"));
    }

    [Fact]
    public async Task Values_NeverBecomeFlags_AndPathsStayInside()
    {
        Directory.CreateDirectory(_folder["root", "d"]);
        foreach (var (name, value) in new[] { ("data", "--help"), ("data", "../secret"), ("data", "/etc"),
            ("--out", "../elsewhere") })
        {
            var fields = new Dictionary<string, string> { ["data"] = "d", ["--out"] = "r", [name] = value };
            using var response = await _studio.Post("/new/train", [.. fields.Select(f => (f.Key, f.Value))]);
            Assert.False(response.IsSuccessStatusCode
                || response.StatusCode == HttpStatusCode.Redirect, $"{name}={value}: {response.StatusCode}");
        }
        Assert.False(Directory.Exists(_folder["root", ".studio", "jobs"]));
    }

    private static async Task<HttpStatusCode> Status(HttpClient client, string address)
    {
        using var response = await client.GetAsync(address);
        return response.StatusCode;
    }

    // A PNG whose header claims 60,000 pixels each way.
    private static byte[] Bomb()
    {
        var bytes = Convert.FromBase64String(
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==");
        byte[] side = [0, 0, 0xea, 0x60];
        side.CopyTo(bytes, 16);
        side.CopyTo(bytes, 20);
        return bytes;
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkfifo(string path, uint mode);
}
