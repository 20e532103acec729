using System.Runtime.InteropServices;
using Deque.AxeCore.Commons;
using Microsoft.Playwright;

namespace Siamorph.Tests.Studio;

/// <summary>
/// Chromium without a window. It watches what must hold on every page: nothing is asked of another address, and the content
/// security policy is never broken. Tests skip by name where there is no Chromium.
/// </summary>
internal sealed class Browser : IAsyncDisposable
{
    private static readonly string[] Places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    private static readonly Lazy<Task<IBrowser>> Shared = new(Launch);

    private static readonly Lazy<string> Axe = new(() => new BundledAxeScriptProvider().GetScript());

    private readonly IBrowserContext _context;
    private readonly List<string> _faults = [];
    private readonly string _own;

    private Browser(IBrowserContext context, IPage page, string own) => (_context, Page, _own) = (context, page, own);

    public IPage Page { get; }

    /// <summary>A window on a Studio, not entered yet.</summary>
    public static async Task<Browser> Open(
        string address, int width = 1280, int height = 900, ColorScheme colours = ColorScheme.Light)
    {
        if (Place() is null) Assert.Skip("chromium is not here.");
        var browser = await Shared.Value;
        var context = await browser.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = height }, ColorScheme = colours, ReducedMotion = ReducedMotion.Reduce,
        });
        var page = await context.NewPageAsync();
        var opened = new Browser(context, page, address);
        page.Request += (_, request) => opened.Look(request.Url);
        page.Console += (_, message) => opened.Hear(message.Text, message.Type);
        page.PageError += (_, error) => opened.Hear(error, "error");
        page.SetDefaultTimeout(20_000);
        return opened;
    }

    /// <summary>The same, entered as the owner.</summary>
    public static async Task<Browser> Open(
        StudioHost host, int width = 1280, int height = 900, ColorScheme colours = ColorScheme.Light)
    {
        var opened = await Open(host.Address, width, height, colours);
        await opened.Page.GotoAsync(host.Link);
        return opened;
    }

    /// <summary>Goes to a page of the Studio.</summary>
    public Task<IResponse?> Go(string path) => Page.GotoAsync(_own + path);

    /// <summary>Fails where the page has faults that keep people out, by axe's rules.</summary>
    public async Task AssertAccessible()
    {
        await Page.EvaluateAsync(Axe.Value);
        // Not within frames: those of reports are without rights, so nothing can run there; the report has tests of its own.
        var faults = await Page.EvaluateAsync<string[]>("""
            async () => (await axe.run(document, { iframes: false, resultTypes: ["violations"] }))
              .violations.map(v => `${v.id}: ${v.help}: ${v.nodes.map(n => n.html).join(" | ")}`)
            """);
        Assert.True(faults.Length == 0, $"{Page.Url}: {string.Join(Environment.NewLine, faults)}");
    }

    /// <summary>Fails where anything was asked of elsewhere, or a script or the policy complained.</summary>
    public void AssertClean()
    {
        lock (_faults) Assert.Empty(_faults);
    }

    /// <summary>Forgets what was complained of, where a test does what it should not.</summary>
    public void Forgive()
    {
        lock (_faults) _faults.Clear();
    }

    /// <summary>Keeps an image of the whole page where SIAMORPH_SCREENSHOTS names a folder.</summary>
    public async Task Keep(string name)
    {
        if (Environment.GetEnvironmentVariable("SIAMORPH_SCREENSHOTS") is { Length: > 0 } folder)
            await Page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}.png"), FullPage = true });
    }

    public async ValueTask DisposeAsync() => await _context.CloseAsync();

    private void Look(string url)
    {
        if (url.StartsWith(_own, StringComparison.Ordinal) || url.StartsWith("data:", StringComparison.Ordinal)
            || url.StartsWith($"blob:{_own}", StringComparison.Ordinal)) return;
        lock (_faults) _faults.Add($"asked for {url}");
    }

    private void Hear(string text, string type)
    {
        if (type != "error" && !text.Contains("Content Security Policy", StringComparison.OrdinalIgnoreCase)) return;
        lock (_faults) _faults.Add(text);
    }

    private static string? Place() => Places.FirstOrDefault(File.Exists);

    private static async Task<IBrowser> Launch()
    {
        var playwright = await Playwright.CreateAsync();
        return await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Place(), Args = RuntimeInformation.IsOSPlatform(OSPlatform.Linux) ? ["--no-sandbox"] : [],
        });
    }
}
