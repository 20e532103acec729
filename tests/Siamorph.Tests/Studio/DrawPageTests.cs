using System.Diagnostics;
using Microsoft.Playwright;
using Siamorph.Data.Folders;
using Siamorph.Data.Phantom;
using Siamorph.Imaging;

namespace Siamorph.Tests.Studio;

/// <summary>A mask drawn in the browser, and the image that a trained model gives it.</summary>
public sealed class DrawPageTests : IAsyncLifetime
{
    private static readonly string[] Small =
    [
        "--image-size", "32", "--network-model-channels", "32", "--network-heads", "4", "--network-context-width", "16",
        "--network-hint-width", "4", "--base-steps", "3",
        "--siamese-steps", "3", "--base-batch-size", "2", "--siamese-batch-size", "2", "--preview-every", "0", "--sampling-steps",
        "4", "--threads", "1",
    ];

    private readonly TemporaryFolder _folder = new();
    private StudioHost _studio = null!;

    public async ValueTask InitializeAsync()
    {
        PhantomDataset.Write(_folder["data"], new PhantomOptions
        {
            Count = 8, Size = new ImageSize(32, 32), FramesPerCase = 1,
        }, NullMonitor.Instance);
        await Run(["train", _folder["data"], "--out", _folder["run"], .. Small]);
        _studio = await StudioHost.Start(_folder.Path);
    }

    public async ValueTask DisposeAsync()
    {
        await _studio.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Drawing_IsKept_AndIsWhatTheCommandLineDraws()
    {
        await using var browser = await Browser.Open(_studio);
        var page = browser.Page;
        await browser.Go("/draw?at=run");
        await page.Locator("#editor[data-ready]").WaitForAsync(new() { Timeout = 60_000 });
        await page.EvaluateAsync("siamorphEditor.change('x', m => m.ellipse([60, 80], [180, 160], 1))");
        await page.GetByLabel("Seed").FillAsync("5");
        await page.GetByLabel("Show the steps").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Draw", Exact = true }).ClickAsync();
        await page.Locator("#editor[data-drawn$='-s000']").WaitForAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Keep" }).ClickAsync();
        await Assertions.Expect(page.GetByText("is kept in drawn.")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Another" }).ClickAsync();
        await page.Locator("#editor[data-drawn$='-s001']").WaitForAsync();
        await browser.Keep("draw-1280-light");
        await browser.AssertAccessible();
        await page.GetByRole(AriaRole.Button, new() { Name = "Keep" }).ClickAsync();
        await Assertions.Expect(page.GetByText("-s001 is kept in drawn.")).ToBeVisibleAsync();
        browser.AssertClean();

        var kept = DatasetFolder.Read(_folder["drawn"]).Pairs;
        Assert.Equal(2, kept.Count);
        // The canvas as a mask file under the name that the pair tells.
        var bits = (await page.EvaluateAsync<int[]>("[...siamorphEditor.mask.data]")).Select(v => (byte)v).ToArray();
        ImageFile.WriteMaskPng(_folder["masks", $"{kept[0].Origin!.SourceMask}.png"],
            new LabelMap(new ImageSize(256, 256), bits));
        await Run(["synthesize", _folder["run"], "--masks", _folder["masks"], "--out", _folder["again"], "--seed", "5",
            "--images-per-mask", "2", "--prompt", kept[0].Prompt, "--threads", "1",
            "--sampler", "uniPc", "--steps", $"{kept[0].Origin!.Steps}"]);
        foreach (var pair in kept)
        {
            Assert.Equal(File.ReadAllBytes(_folder["again", "images", $"{pair.Id}.png"]), File.ReadAllBytes(pair.ImagePath));
            Assert.Equal(File.ReadAllBytes(_folder["again", "masks", $"{pair.Id}.png"]), File.ReadAllBytes(pair.MaskPath));
        }
        Assert.Equal(DatasetFolder.Read(_folder["again"]).Pairs.Select(p => p.Origin), kept.Select(p => p.Origin));
    }

    [Fact]
    public async Task Drawing_FromARealPair_StartsThere()
    {
        await using var browser = await Browser.Open(_studio, 390, colours: ColorScheme.Dark);
        var page = browser.Page;
        await browser.Go("/data?at=data");
        await page.Locator("#grid[data-ready=outlines]").WaitForAsync();
        await page.Locator(".pair a").First.ClickAsync();
        await page.Locator("#editor[data-ready]").WaitForAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Draw from it" }).ClickAsync();
        await page.Locator("#runs").WaitForAsync();
        await page.Locator("#editor[data-ready]").WaitForAsync(new() { Timeout = 60_000 });
        await page.GetByLabel("Start").SelectOptionAsync("real");
        await page.GetByRole(AriaRole.Button, new() { Name = "Draw", Exact = true }).ClickAsync();
        await page.Locator("#editor[data-drawn]").WaitForAsync();
        await browser.Keep("draw-390-dark");
        await browser.AssertAccessible();
        await page.GetByRole(AriaRole.Button, new() { Name = "Keep" }).ClickAsync();
        await Assertions.Expect(page.GetByText("is kept in drawn.")).ToBeVisibleAsync();
        Assert.True(Assert.Single(DatasetFolder.Read(_folder["drawn"]).Pairs).Origin!.IsEditedReal);
        browser.AssertClean();
    }

    [Fact]
    public async Task EmptyMasks_OtherFolders_AndBrokenModels_AreRefusedInWords()
    {
        Assert.Contains("no run that can draw", await Draw("data", [1]), StringComparison.Ordinal);
        foreach (var file in Directory.GetFiles(_folder["run", "checkpoints"], "ema.safetensors", SearchOption.AllDirectories))
            File.WriteAllText(file, "broken");
        Assert.Contains("The mask is empty", await Draw("run", new byte[32]), StringComparison.Ordinal);
        Assert.Contains("ema.safetensors", await Draw("run", [255, .. new byte[31]]), StringComparison.Ordinal);
        using var keep = await Send("/draw/keep?name=x&folder=data", "");
        Assert.Contains("Draw it again", await keep.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private async Task<string> Draw(string at, byte[] bits)
    {
        using var answer = await Send($"/draw/image?at={at}",
            $$"""{"bits":"{{Convert.ToBase64String(bits)}}","width":16,"height":16,"seed":1,"number":0,"fromReal":false,"previews":false}""");
        Assert.False(answer.IsSuccessStatusCode);
        return await answer.Content.ReadAsStringAsync();
    }

    private Task<HttpResponseMessage> Send(string address, string json)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, address)
        {
            Content = new StringContent(json, System.Text.Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("Origin", _studio.Address);
        request.Headers.Add("X-Siamorph", _studio.Token);
        return _studio.Owner.SendAsync(request);
    }

    private static async Task Run(string[] arguments)
    {
        var start = new ProcessStartInfo(StudioHost.Program[0], [.. StudioHost.Program.Skip(1), .. arguments])
        {
            RedirectStandardError = true, RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await error);
    }
}
