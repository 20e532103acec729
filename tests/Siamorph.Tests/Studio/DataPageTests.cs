using System.Security.Cryptography;
using Microsoft.Playwright;
using Siamorph.Data.Checks;
using Siamorph.Data.Folders;
using Siamorph.Data.Phantom;
using Siamorph.Imaging;

namespace Siamorph.Tests.Studio;

/// <summary>Looking through a dataset and correcting its masks, in Chromium.</summary>
public sealed class DataPageTests : IAsyncLifetime
{
    private const int Width = 64, Height = 48;

    private readonly TemporaryFolder _folder = new();
    private StudioHost _studio = null!;
    private Browser _browser = null!;

    private IPage Page => _browser.Page;

    public async ValueTask InitializeAsync()
    {
        PhantomDataset.Write(_folder["data"], new PhantomOptions
        {
            Count = 24, Size = new ImageSize(Width, Height),
        }, NullMonitor.Instance);
        _studio = await StudioHost.Start(_folder.Path);
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        await _studio.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(1280, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task Pages_AreAccessible_AndFitTheWindow(int width, ColorScheme colours)
    {
        _browser = await Browser.Open(_studio, width, colours: colours);
        await Grid();
        await Page.Locator(".pair").First.ScrollIntoViewIfNeededAsync();
        await Look("data", width, colours);
        await Page.Locator(".pair a").First.ClickAsync();
        await Ready();
        await Look("edit", width, colours);
        _browser.AssertClean();
    }

    [Fact]
    public async Task Grid_Filters_FindsTwins_AndScrolls()
    {
        // An image that stands under two names, in two splits.
        var pairs = DatasetFolder.Read(_folder["data"]).Pairs.Select((p, i) => p with
        {
            Split = i < 12 ? "train" : "test",
        }).ToList();
        File.Copy(pairs[0].ImagePath, pairs[20].ImagePath, overwrite: true);
        DatasetFolder.WriteManifest(_folder["data"], pairs);
        _browser = await Browser.Open(_studio);
        await Grid();
        await Assertions.Expect(Page.Locator("#count")).ToHaveTextAsync("24 pairs.");
        await Page.Locator("[name=split]").SelectOptionAsync("test");
        await Assertions.Expect(Page.Locator("#count")).ToHaveTextAsync("12 of 24 pairs.");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Check all files" }).ClickAsync();
        await Assertions.Expect(Page.Locator(".twins img").First).ToBeVisibleAsync();
        await Page.Locator("[name=finding]").SelectOptionAsync(new SelectOptionValue { Index = 1 });
        await Assertions.Expect(Page.Locator(".pair:not([hidden])").First).ToBeVisibleAsync();
        await Page.Locator("[name=split]").SelectOptionAsync("");
        await Page.Locator("[name=finding]").SelectOptionAsync("");
        await Page.Locator(".pair").Last.ScrollIntoViewIfNeededAsync();
        await Assertions.Expect(Page.Locator(".pair img").Last).ToHaveJSPropertyAsync("complete", true);
        _browser.AssertClean();
    }

    [Fact]
    public async Task Patients_AreNeverNamedInAddresses()
    {
        const string name = "miller-jane-1957";
        var pairs = DatasetFolder.Read(_folder["data"]).Pairs.ToList();
        var image = Path.Combine(Path.GetDirectoryName(pairs[0].ImagePath)!, $"{name}.png");
        File.Move(pairs[0].ImagePath, image);
        DatasetFolder.WriteManifest(_folder["data"], [pairs[0] with
        {
            Id = name, ImagePath = image, Group = name,
        }, .. pairs.Skip(1)]);
        _browser = await Browser.Open(_studio);
        var asked = new List<string>();
        Page.Request += (_, request) => asked.Add(request.Url);
        await Grid();
        await Page.GetByRole(AriaRole.Img, new() { Name = $"Image of pair {name}" }).ClickAsync();
        await Ready();
        await Act("grow");
        await Save();
        Assert.True(asked.Count > 10);
        Assert.DoesNotContain(asked, a => a.Contains(name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task EveryTool_ByMouse_SetsThePixelsItSays()
    {
        await Edit();
        await Act("clear");
        await Size(5);
        await Tool("brush");
        await Drag((10, 10), (20, 10));
        await Expect("b", (x, y) => Disc(x, y, 5, (10, 10), (20, 10)));
        await Tool("eraser");
        await Drag((10, 10), (20, 10));
        await Expect("e", (_, _) => false);
        await Tool("ellipse");
        await Drag((8, 6), (18, 12));
        await Expect("o", (x, y) => Ellipse(x, y, (8, 6), (18, 12)));
        await Tool("move");
        await Drag((10, 10), (15, 13));
        await Expect("v", (x, y) => Ellipse(x, y, (13, 9), (23, 15)));
        await Act("clear");
        await Tool("polygon");
        foreach (var corner in new[] { (10, 10), (30, 10), (30, 30), (10, 30), (10, 10) }) await Click(corner);
        await Expect("p", (x, y) => x is >= 10 and <= 30 && y is >= 10 and <= 30);
        await Tool("bucket");
        await Click((20, 20));
        await Expect("k", (_, _) => false);
        await Tool("lasso");
        await Drag((5, 5), (25, 5), (25, 15), (5, 15));
        await Expect("l", (x, y) => x is >= 5 and <= 25 && y is >= 5 and <= 15);
        _browser.AssertClean();
    }

    [Fact]
    public async Task EveryTool_ByKeyboard_SetsThePixelsItSays()
    {
        await Edit();
        await Act("clear");
        await Page.Locator("canvas").FocusAsync();
        await Size(3);
        await Cursor(-200, -200); // the corner
        await Cursor(10, 10);
        await Keys("b", "Enter");
        await Expect("B", (x, y) => Disc(x, y, 3, (10, 10), (10, 10)));
        await Keys("g", "g", "Shift+G");
        await Expect("G", (x, y) => Grown(x, y, (10, 10)));
        await Keys("Control+z", "Control+z", "Control+z");
        await Expect("undo", (x, y) => Disc(x, y, 3, (10, 10), (10, 10)));
        await Keys("Control+Shift+Z");
        await Keys("Control+z");
        await Keys("e", "Enter");
        await Expect("E", (_, _) => false);
        await Keys("o", "Enter");
        await Cursor(8, 4);
        await Keys("Enter");
        await Expect("O", (x, y) => Ellipse(x, y, (10, 10), (18, 14)));
        await Keys("v", "Enter");
        await Cursor(2, 0);
        await Keys("Enter");
        await Expect("V", (x, y) => Ellipse(x, y, (12, 10), (20, 14)));
        await Act("clear");
        await Page.Locator("canvas").FocusAsync();
        await Keys("p", "Enter");
        await Cursor(6, 0);
        await Keys("Enter");
        await Cursor(0, 6);
        await Keys("Enter", "c");
        Assert.Equal(28, await Page.EvaluateAsync<int>("siamorphEditor.mask.area")); // a triangle of 7 + 6 + … + 1
        await Keys("k", "Enter", "f", "m", "i", "h", "t", "0", "1", "[", "]");
        _browser.AssertClean();
    }

    [Fact]
    public async Task MaskOperations_DoWhatTheySay()
    {
        await Edit();
        await Act("clear");
        // A ring, an island, and a lone pixel.
        await Page.EvaluateAsync("siamorphEditor.change('x', m => { m.ellipse([10, 10], [30, 30], 1); m.ellipse([16, 16], [24, "
            + "24], 0); m.ellipse([40, 10], [46, 16], 1); m.disc(55, 40, 1, 1); })");
        await Act("holes");
        Assert.Equal(1, await At(20, 20));
        await Act("smooth");
        Assert.Equal(0, await At(55, 40));
        await Act("largest");
        Assert.Equal((1, 0), (await At(20, 20), await At(43, 13)));
        var area = await Page.EvaluateAsync<int>("siamorphEditor.mask.area");
        await Act("grow");
        await Act("shrink");
        Assert.Equal(area, await Page.EvaluateAsync<int>("siamorphEditor.mask.area")); // a disc has no corner to lose
        for (var i = 0; i < 5; i++) await Act("undo");
        Assert.Equal((0, 1, 1), (await At(20, 20), await At(55, 40), await At(43, 13)));
    }

    [Fact]
    public async Task Saving_KeepsTheOriginal_AndTheCommandLineFindsNothingNew()
    {
        var before = DatasetValidator.Check(_folder["data"], NullMonitor.Instance).Findings.Count;
        var masks = Directory.GetFiles(_folder["data", "masks"]).ToDictionary(f => f, Hash);
        await Edit();
        await Act("clear");
        await Tool("ellipse");
        await Drag((8, 6), (38, 32));
        await Save();
        var changed = Assert.Single(masks, m => Hash(m.Key) != m.Value);
        Assert.Equal(await Page.EvaluateAsync<int>("siamorphEditor.mask.area"),
            ImageFile.ReadMask(changed.Key).Labels.Count(l => l != 0));
        Assert.Equal(changed.Value, Hash(
            Directory.GetFiles(_folder["data", "edits"], "*.png", SearchOption.AllDirectories).Single()));
        Assert.Single(File.ReadAllLines(_folder["data", "edits.jsonl"]));
        Assert.Equal(before, DatasetValidator.Check(_folder["data"], NullMonitor.Instance).Findings.Count);
    }

    [Fact]
    public async Task Strokes_SurviveReloading_AndAnotherStudio()
    {
        await Edit();
        await Act("clear");
        await Tool("ellipse");
        await Drag((8, 6), (38, 32));
        var area = await Page.EvaluateAsync<int>("siamorphEditor.mask.area");
        await Page.WaitForTimeoutAsync(1000); // the browser stores a stroke a moment after it is drawn
        await Page.ReloadAsync();
        await Ready();
        Assert.Equal(area, await Page.EvaluateAsync<int>("siamorphEditor.mask.area"));
        await Assertions.Expect(Page.Locator("#save")).ToBeEnabledAsync();
        await Save();
        await Page.ReloadAsync();
        await Ready();
        await Assertions.Expect(Page.Locator("#save")).ToBeDisabledAsync();
        Assert.Equal(area, await Page.EvaluateAsync<int>("siamorphEditor.mask.area"));
    }

    [Fact]
    public async Task WrongBits_ForeignChanges_AndStrangers_AreRefused()
    {
        await Edit();
        var key = Page.Url.Split("pair=")[1];
        Assert.Equal(422, await Send(key, new byte[10], "x"));
        Assert.Equal(422, await Send(key, new byte[Width * Height / 8], "not the hash"));
        Assert.Equal(404, await Send(new string('0', 32), new byte[Width * Height / 8], "x"));
        using var stranger = _studio.Client();
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, (await stranger.GetAsync($"/edit/{key}/bits")).StatusCode);
    }

    private async Task<int> Send(string key, byte[] bits, string known)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/edit/{key}") { Content = new ByteArrayContent(bits) };
        request.Headers.Add("Origin", _studio.Address);
        request.Headers.Add("X-Siamorph", _studio.Token);
        request.Headers.Add("X-Known", known);
        using var response = await _studio.Owner.SendAsync(request);
        return (int)response.StatusCode;
    }

    private async Task Grid()
    {
        await _browser.Go("/data?at=data");
        await Page.Locator("#grid[data-ready=outlines]").WaitForAsync();
    }

    private async Task Edit()
    {
        _browser = await Browser.Open(_studio);
        await Grid();
        await Page.Locator(".pair a").First.ClickAsync();
        await Ready();
    }

    private Task Ready() => Page.Locator("#editor[data-ready]").WaitForAsync();

    private async Task Look(string name, int width, ColorScheme colours)
    {
        await _browser.Keep($"{name}-{width}-{colours.ToString().ToLowerInvariant()}");
        await _browser.AssertAccessible();
        Assert.True(await Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"));
    }

    private Task Tool(string name) => Page.Locator($"[data-tool={name}]").ClickAsync();

    private Task Act(string name) => Page.Locator($"[data-act={name}]").ClickAsync();

    private Task<System.Text.Json.JsonElement?> Size(int pixels) =>
        Page.EvaluateAsync($"siamorphEditor.resize({pixels} - siamorphEditor.size)");

    private async Task Keys(params string[] keys)
    {
        foreach (var key in keys) await Page.Keyboard.PressAsync(key);
    }

    private async Task Cursor(int dx, int dy)
    {
        foreach (var (by, less, more) in new[] { (dx, "ArrowLeft", "ArrowRight"), (dy, "ArrowUp", "ArrowDown") })
        {
            for (var i = 0; i < Math.Abs(by) / 10; i++) await Page.Keyboard.PressAsync($"Shift+{(by < 0 ? less : more)}");
            for (var i = 0; i < Math.Abs(by) % 10; i++) await Page.Keyboard.PressAsync(by < 0 ? less : more);
        }
    }

    // The middle of a pixel, in the window.
    private async Task<(float X, float Y)> Place((int X, int Y) pixel)
    {
        var box = (await Page.Locator("canvas").BoundingBoxAsync())!;
        var view = await Page.EvaluateAsync<double[]>(
            "[siamorphEditor.zoom, ...siamorphEditor.pan, siamorphEditor.canvas.width / siamorphEditor.canvas.clientWidth]");
        return ((float)(box.X + (view[1] + (pixel.X + 0.5) * view[0]) / view[3]),
            (float)(box.Y + (view[2] + (pixel.Y + 0.5) * view[0]) / view[3]));
    }

    private async Task Click((int, int) pixel)
    {
        var (x, y) = await Place(pixel);
        await Page.Mouse.ClickAsync(x, y);
    }

    private async Task Drag(params (int, int)[] way)
    {
        var (x, y) = await Place(way[0]);
        await Page.Mouse.MoveAsync(x, y);
        await Page.Mouse.DownAsync();
        foreach (var pixel in way.Skip(1))
        {
            (x, y) = await Place(pixel);
            await Page.Mouse.MoveAsync(x, y, new() { Steps = 8 });
        }
        await Page.Mouse.UpAsync();
    }

    private async Task Save()
    {
        await Page.Locator("#save").ClickAsync();
        await Assertions.Expect(Page.Locator("#save")).ToHaveTextAsync("Saved");
    }

    private Task<int> At(int x, int y) => Page.EvaluateAsync<int>($"siamorphEditor.mask.at({x}, {y})");

    private async Task Expect(string what, Func<int, int, bool> inside)
    {
        var pixels = await Page.EvaluateAsync<int[]>("[...siamorphEditor.mask.data]");
        var wrong = Enumerable.Range(0, Width * Height).Where(i => pixels[i] == 1 != inside(i % Width, i / Width))
            .Select(i => (i % Width, i / Width)).ToList();
        Assert.True(wrong.Count == 0, $"{what}: {wrong.Count} pixels are wrong, such as {string.Join(' ', wrong.Take(5))}");
    }

    // Within half a diameter of a pixel of the way, which is level here.
    private static bool Disc(int x, int y, int diameter, (int X, int Y) from, (int X, int Y) to)
    {
        var dx = x - Math.Clamp(x, from.X, to.X);
        return 4 * (dx * dx + (y - from.Y) * (y - from.Y)) <= diameter * diameter;
    }

    // The disc of three pixels after growing twice and shrinking once: grown once, which fills no corner.
    private static bool Grown(int x, int y, (int X, int Y) middle)
    {
        var (dx, dy) = (Math.Abs(x - middle.X), Math.Abs(y - middle.Y));
        return (dx <= 1 && dy <= 1) || (dx == 2 && dy <= 1) || (dx <= 1 && dy == 2);
    }

    private static bool Ellipse(int x, int y, (int X, int Y) a, (int X, int Y) b)
    {
        double cx = (a.X + b.X) / 2.0, cy = (a.Y + b.Y) / 2.0, rx = (b.X - a.X + 1) / 2.0, ry = (b.Y - a.Y + 1) / 2.0;
        return (x - cx) / rx * ((x - cx) / rx) + (y - cy) / ry * ((y - cy) / ry) <= 1;
    }

    private static string Hash(string path) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)));
}
