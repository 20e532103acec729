using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Siamorph.Studio.Jobs;
using Siamorph.Studio.Pages;
using Siamorph.Studio.Images;
using Siamorph.Studio.Security;

namespace Siamorph.Studio;

/// <summary>
/// The Studio's web server: pages over files, on the loopback address alone. It holds nothing that matters: jobs are processes of
/// their own, and all else is in folders. It loads no torch (docs/decisions/0050-the-studio-is-pages-over-files.md).
/// </summary>
internal sealed class StudioServer : IAsyncDisposable
{
    private const long LargestBody = 10L << 20;

    private readonly WebApplication _app;
    private readonly StudioServices _desk;

    private StudioServer(WebApplication app, StudioServices desk, int port) => (_app, _desk, Port) = (app, desk, port);

    public int Port { get; }

    /// <summary>Begins to listen, and announces the first link.</summary>
    /// <exception cref="SiamorphException">The folder is missing, or the port is taken.</exception>
    public static async Task<StudioServer> Start(StudioOptions options)
    {
        var root = new RootFolder(options.Root);
        var app = Build(options.Port);
        var sessions = new Sessions(token => options.Announce($"http://127.0.0.1:{PortOf(app)}/enter?token={token}"));
        var gate = new RequestGuard(sessions);
        var links = new ReaderLinks(root);
        var queue = new JobQueue(root, options.Program);
        var desk = new StudioServices(root, new ImageStore(root), queue, links, sessions, options);
        app.Use(ErrorResponses.Show);
        app.Use(gate.Pass);
        app.UseRouting();
        EntryLinks.Map(app, sessions, links);
        StaticAssets.Map(app);
        desk.Pictures.Map(app);
        StudioPages.Map(app, desk);
        await Listen(app, options.Port);
        gate.Port = PortOf(app);
        sessions.Invite();
        queue.Begin();
        return new(app, desk, gate.Port);
    }

    /// <summary>Ends when the token is set.</summary>
    public static async Task RunUntil(CancellationToken stop)
    {
        try
        {
            await Task.Delay(Timeout.Infinite, stop);
        }
        catch (OperationCanceledException)
        {
            // this is how it ends
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _desk.Jobs.DisposeAsync();
        await _app.DisposeAsync();
        _desk.Drawing.Dispose();
        _desk.Pictures.Dispose();
    }

    private static WebApplication Build(int port)
    {
        var builder = WebApplication.CreateEmptyBuilder(new()
        {
            ApplicationName = typeof(StudioServer).Assembly.GetName().Name, ContentRootPath = AppContext.BaseDirectory,
        });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = LargestBody;
            kestrel.Listen(IPAddress.Loopback, port);
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddRazorComponents();
        return builder.Build();
    }

    private static async Task Listen(WebApplication app, int port)
    {
        try
        {
            await app.StartAsync();
        }
        catch (IOException e)
        {
            throw new SiamorphException(
                $"Port {port} is taken, perhaps by another Studio. Use that one, or name another port with --port.", e);
        }
    }

    private static int PortOf(WebApplication app) =>
        new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;
}
