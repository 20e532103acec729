using System.Net;
using Siamorph.Cli;
using Siamorph.Studio;

namespace Siamorph.Tests.Studio;

/// <summary>
/// A Studio in this process on a free port, over a folder of the test's own, and the owner's browser without a screen.
/// </summary>
internal sealed class StudioHost : IAsyncDisposable
{
    private readonly StudioServer _server;
    private readonly List<string> _links;

    private StudioHost(StudioServer server, List<string> links, string root) => (_server, _links, Root) = (server, links, root);

    public string Root { get; }

    public string Address => $"http://127.0.0.1:{_server.Port}";

    /// <summary>The link that works now.</summary>
    public string Link
    {
        get
        {
            lock (_links) return _links[^1];
        }
    }

    /// <summary>A client that has entered, keeps cookies and follows no redirect.</summary>
    public HttpClient Owner { get; private set; } = null!;

    /// <summary>What has to come with everything that changes something.</summary>
    public string Token { get; private set; } = "";

    public static async Task<StudioHost> Start(string root)
    {
        var links = new List<string>();
        void Announce(string link)
        {
            lock (links) links.Add(link);
        }

        var server = await StudioServer.Start(new()
        {
            Root = root, Port = 0, Program = Program, Forms = VerbForms.Of(Siamorph.Cli.Program.Verbs()), Announce = Announce,
        });
        var host = new StudioHost(server, links, root);
        host.Owner = host.Client();
        (await host.Owner.GetAsync(host.Link)).Dispose();
        host.Token = (await host.Owner.GetStringAsync("/")).Split("data-token=\"")[1].Split('"')[0];
        return host;
    }

    /// <summary>How the command is started from the tests' folder.</summary>
    public static IReadOnlyList<string> Program { get; } = ["dotnet", Path.Combine(AppContext.BaseDirectory, "Siamorph.Cli.dll")];

    /// <summary>A browser that has not entered.</summary>
    public HttpClient Client() => new(new HttpClientHandler
    {
        CookieContainer = new CookieContainer(), AllowAutoRedirect = false,
    }) { BaseAddress = new(Address) };

    /// <summary>Sends a form as a page of this Studio would.</summary>
    public Task<HttpResponseMessage> Post(string address, params (string Name, string Value)[] fields) =>
        Post(Owner, address, Token, Address, fields);

    /// <summary>Sends a form as anyone might.</summary>
    public static async Task<HttpResponseMessage> Post(
        HttpClient client, string address, string? token, string? origin, params (string Name, string Value)[] fields)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address)
        {
            Content = new FormUrlEncodedContent(fields.Select(f => KeyValuePair.Create(f.Name, f.Value))
                .Concat(token is null ? [] : [KeyValuePair.Create("token", token)])),
        };
        if (origin is not null) request.Headers.Add("Origin", origin);
        return await client.SendAsync(request);
    }

    public async ValueTask DisposeAsync()
    {
        Owner.Dispose();
        await _server.DisposeAsync();
    }
}
