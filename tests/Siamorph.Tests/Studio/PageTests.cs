using Microsoft.Playwright;
using Siamorph.Data.Phantom;
using Siamorph.Experiment;
using Siamorph.Imaging;

namespace Siamorph.Tests.Studio;

/// <summary>The pages as people see them, in Chromium.</summary>
public sealed class PageTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private StudioHost _studio = null!;

    public async ValueTask InitializeAsync()
    {
        PhantomDataset.Write(_folder["data"], new PhantomOptions
        {
            Count = 12, Size = new ImageSize(32, 32), FramesPerCase = 1,
        }, NullMonitor.Instance);
        _studio = await StudioHost.Start(_folder.Path);
    }

    public async ValueTask DisposeAsync()
    {
        await _studio.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Link_IsRefusedTheSecondTime()
    {
        var link = _studio.Link;
        await using var first = await Browser.Open(_studio);
        await Assertions.Expect(first.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("What is here");
        await using var second = await Browser.Open(_studio.Address);
        var response = await second.Page.GotoAsync(link);
        Assert.Equal(403, response!.Status);
        second.Forgive();
        first.AssertClean();
    }

    [Theory]
    [InlineData(1280, ColorScheme.Light)]
    [InlineData(1280, ColorScheme.Dark)]
    [InlineData(390, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task EveryPage_IsAccessible_AndFitsTheWindow(int width, ColorScheme colours)
    {
        Finished();
        await using var browser = await Browser.Open(_studio, width, colours: colours);
        foreach (var (name, address) in new[] { ("home", "/"), ("jobs", "/jobs"), ("new", "/new"), ("form", "/new/train"),
            ("run", "/run?at=run"), ("experiment", "/experiment?at=experiment") })
        {
            await browser.Go(address);
            await browser.Keep($"{name}-{width}-{colours.ToString().ToLowerInvariant()}");
            await browser.AssertAccessible();
            Assert.True(await browser.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"),
                $"{name} is wider than {width} pixels");
        }
        browser.AssertClean();
    }

    [Fact]
    public async Task Page_AtFourfoldZoom_StillFits()
    {
        Finished();
        await using var browser = await Browser.Open(_studio, 320, 256); // 1280 by 1024 at 400 %
        foreach (var address in new[] { "/", "/jobs", "/new/train", "/run?at=run", "/experiment?at=experiment" })
        {
            await browser.Go(address);
            Assert.True(await browser.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), address);
        }
    }

    [Fact]
    public async Task Training_IsStartedWatchedStoppedAndResumed()
    {
        await using var browser = await Browser.Open(_studio);
        var page = browser.Page;
        await browser.Go("/new/train");
        await page.GetByLabel("data (needed)").FillAsync("data");
        await page.GetByLabel("out (needed)").FillAsync("run");
        await page.GetByLabel("image size").FillAsync("32");
        await page.GetByLabel("base steps").FillAsync("3000");
        await page.GetByLabel("base batch size").FillAsync("2");
        await page.GetByLabel("siamese steps").FillAsync("2");
        await page.GetByLabel("siamese batch size").FillAsync("2");
        await page.GetByLabel("preview every").FillAsync("3");
        await page.GetByLabel("checkpoint every").FillAsync("3");
        await page.GetByRole(AriaRole.Button, new() { Name = "Put into the queue" }).ClickAsync();
        await Assertions.Expect(page.GetByText("At work.")).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await Assertions.Expect(page.GetByText("of 3000")).ToBeVisibleAsync(new() { Timeout = 60_000 });

        await browser.Go("/run?at=run"); // where the losses and pictures come without loading the page again
        var losses = page.GetByRole(AriaRole.Img, new() { Name = "Losses of the base training" });
        await Assertions.Expect(losses).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await page.GetByRole(AriaRole.Button, new() { Name = "Stop" }).ClickAsync();
        await Assertions.Expect(page.GetByText("Stopped. It can go on.")).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await page.GetByRole(AriaRole.Button, new() { Name = "Resume" }).ClickAsync();
        await Assertions.Expect(page.GetByText("At work.")).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await page.GetByRole(AriaRole.Button, new() { Name = "Stop" }).ClickAsync();
        await Assertions.Expect(page.GetByText("Stopped. It can go on.")).ToBeVisibleAsync(new() { Timeout = 60_000 });
        browser.AssertClean();
    }

    [Fact]
    public async Task RunOfTheCommandLine_AppearsAndGrows()
    {
        Directory.CreateDirectory(_folder["run"]);
        File.WriteAllText(_folder["run", "options.json"], """{ "base": { "steps": 20 }, "siamese": { "steps": 10 } }""");
        File.WriteAllText(_folder["run", "log.jsonl"], Lines(1, 4));
        await using var browser = await Browser.Open(_studio);
        await browser.Go("/run?at=run");
        using (FolderLock.Take(_folder["run"]))
        {
            await Assertions.Expect(browser.Page.GetByText("Step 4 of 30")).ToBeVisibleAsync();
            File.AppendAllText(_folder["run", "log.jsonl"], Lines(5, 12));
            await Assertions.Expect(browser.Page.GetByText("Step 12 of 30")).ToBeVisibleAsync();
        }
        await Assertions.Expect(browser.Page.GetByText("Stopped at step 12 of 30")).ToBeVisibleAsync();
        browser.AssertClean();
    }

    [Fact]
    public async Task PartOfARun_IsDrawnAgain_OnlyWhereSomethingChanged()
    {
        Directory.CreateDirectory(_folder["run"]);
        File.WriteAllText(_folder["run", "options.json"], """{ "base": { "steps": 20 }, "siamese": { "steps": 10 } }""");
        File.WriteAllText(_folder["run", "log.jsonl"], Lines(1, 4));
        async Task<(int Status, string Tag)> Ask(HttpClient client, string? known)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/run/part?at=run");
            if (known is not null) request.Headers.TryAddWithoutValidation("If-None-Match", known);
            using var response = await client.SendAsync(request);
            return ((int)response.StatusCode, response.Headers.ETag!.ToString());
        }

        var first = await Ask(_studio.Owner, null);
        Assert.Equal(200, first.Status);
        Assert.Equal(304, (await Ask(_studio.Owner, first.Tag)).Status);
        File.AppendAllText(_folder["run", "log.jsonl"], Lines(5, 5));
        var grown = await Ask(_studio.Owner, first.Tag);
        Assert.Equal(200, grown.Status);
        using (FolderLock.Take(_folder["run"])) Assert.Equal(200, (await Ask(_studio.Owner, grown.Tag)).Status);
        await using var later = await StudioHost.Start(_folder.Path); // its forms bear another token
        Assert.Equal(200, (await Ask(later.Owner, grown.Tag)).Status);
    }

    [Fact]
    public async Task Script_InAReport_DoesNotRun()
    {
        Finished();
        File.AppendAllText(_folder["experiment", "report.html"],
            "<script>parent.document.title = 'ran'</script><img src='http://example.org/x.png'>");
        await using var browser = await Browser.Open(_studio);
        await browser.Go("/experiment?at=experiment");
        await Assertions.Expect(browser.Page.Locator("iframe")).ToBeVisibleAsync();
        Assert.DoesNotContain("ran", await browser.Page.TitleAsync(), StringComparison.Ordinal);
        browser.Forgive(); // the report was refused its script and its image, as it should be
    }

    // A finished experiment of very small networks, and the generator's run as a run of its own.
    private void Finished()
    {
        Demo.Run(Demo.Quick, _folder["experiment"], NullMonitor.Instance);
        Siamorph.Reports.ExperimentReport.Write(_folder["experiment"]);
        var run = Directory.GetDirectories(_folder["experiment", "stages"], "generator-*")[0];
        Directory.Move(Path.Combine(run, "run"), _folder["run"]);
    }

    private static string Lines(int from, int to) => string.Concat(Enumerable.Range(from, to - from + 1).Select(step =>
        $$"""{"step":{{step}},"time":"2026-01-01T00:00:{{step:00}}.000Z","base/total":{{(1.0 / step).ToString(System.Globalization.CultureInfo.InvariantCulture)}}}{{"\n"}}"""));
}
