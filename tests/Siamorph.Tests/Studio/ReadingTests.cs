using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Playwright;
using Siamorph.Imaging;
using Siamorph.Reports;
using Siamorph.Study;
using Siamorph.Tests.Study;

namespace Siamorph.Tests.Studio;

/// <summary>Readers who judge images in the browser, and the study's owner.</summary>
public sealed class ReadingTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private SmallStudy _study = null!;
    private StudioHost _studio = null!;

    public async ValueTask InitializeAsync()
    {
        _study = SmallStudy.Make(_folder);
        _studio = await StudioHost.Start(_folder.Path);
    }

    public async ValueTask DisposeAsync()
    {
        await _studio.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task TwoReaders_AnswerAll_AndTheReportSaysWhatTheyKnew()
    {
        await Read(await Enter("expert"), _study.Expert());
        await Read(await Enter("guesser"), _study.Guesser(3));
        Assert.Throws<InvalidStudyException>(() => StudyReport.Write(_study.Folder));
        Assert.Contains("2 of 4 planned readers have finished", await _studio.Owner.GetStringAsync("/study?at=study"),
            StringComparison.Ordinal);
        using (var hasty = await _studio.Post("/study/unseal?at=study", ("word", "yes")))
            Assert.Equal(HttpStatusCode.BadRequest, hasty.StatusCode);
        Assert.False(File.Exists(_folder["study", "unsealed.json"]));
        using (var done = await _studio.Post("/study/unseal?at=study", ("word", "unseal")))
            Assert.Equal(HttpStatusCode.Redirect, done.StatusCode);

        var readers = StudyAnalysis.Of(StudyEvidence.Read(_study.Folder)).Readers;
        Assert.Equal(1, readers.Single(r => r.Reader == "expert").Accuracy!.Value, 10);
        Assert.InRange(readers.Single(r => r.Reader == "guesser").Accuracy!.Value, 0.1, 0.9);
        Assert.True(File.Exists(_folder["study", "report.html"]));
        var exported = File.ReadAllLines(ImrmcExport.Write(_study.Folder, _folder["imrmc"])[0]);
        Assert.Contains("N0: 6", exported);
        Assert.Contains("NR: 2", exported);
        Assert.Equal(12, exported.Count(l => l.StartsWith("expert,", StringComparison.Ordinal)));
        using var late = await _studio.Owner.GetAsync("/report?at=study");
        Assert.Equal(HttpStatusCode.OK, late.StatusCode);
    }

    [Fact]
    public async Task Reader_SeesOneStudy_AndNothingElse()
    {
        var reader = await Enter("r1");
        foreach (var address in new[] { "/", "/jobs", "/study?at=study", "/data?at=real", "/read/000000000000",
            "/report?at=study", "/edit?pair=x", "/picture/x" })
        {
            using var response = await reader.Client.GetAsync(address);
            Assert.True(response.StatusCode == HttpStatusCode.Forbidden, $"{address}: {response.StatusCode}");
        }
        using var wrong = _studio.Client();
        Assert.Equal(HttpStatusCode.Forbidden, (await wrong.GetAsync($"/door/{reader.Link}?token=guess")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await wrong.GetAsync($"/read/{reader.Link}/next")).StatusCode);
        (await _studio.Post($"/study/revoke?at=study&link={reader.Link}")).Dispose();
        Assert.Equal(HttpStatusCode.Unauthorized, (await reader.Client.GetAsync($"/read/{reader.Link}/next")).StatusCode);
    }

    [Fact]
    public async Task WhatIsServed_DoesNotTellKindsApart()
    {
        var reader = await Enter("r1");
        var (kinds, key) = (new Dictionary<StudyKind, HashSet<string>>(), _study.Key);
        for (var card = await Next(reader); card is not null; card = await Answer(reader, card, _study.Expert()))
        {
            using var picture = await reader.Client.GetAsync($"/read/{reader.Link}/image/{Item(card)}");
            var headers = string.Join('\n', picture.Headers.Concat(picture.Content.Headers).Where(h => h.Key != "Date")
                .Select(h => $"{h.Key}: {string.Join(',', h.Value)}"));
            var kind = key[Item(card)].Kind;
            if (!kinds.TryGetValue(kind, out var seen)) kinds[kind] = seen = [];
            seen.Add(headers); // the length of the body is one of them
        }
        Assert.Equal(3, kinds.Count);
        Assert.Single(kinds.Values.SelectMany(v => v).Distinct());
        var page = await (await reader.Client.GetAsync($"/read/{reader.Link}")).Content.ReadAsStringAsync();
        Assert.DoesNotContain("synthetic-", page, StringComparison.Ordinal);
        Assert.DoesNotContain("case-", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OtherImages_SecondPages_AndWrongAnswers_AreRefused()
    {
        var reader = await Enter("r1");
        var card = (await Next(reader))!;
        var other = _study.Key.Keys.First(k => k != Item(card));
        Assert.Equal(HttpStatusCode.NotFound, (await reader.Client.GetAsync($"/read/{reader.Link}/image/{other}")).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Send(reader, Body(card, quality: 9, shape: 3))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await Send(reader, Body(card, quality: 4, shape: 3))).StatusCode);
        // A page left open
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Send(reader, Body(card, quality: 1, shape: 1))).StatusCode);
        Assert.Equal(2, File.ReadAllLines(_folder["study", "sessions", "r1-1.jsonl"]).Length);
    }

    [Fact]
    public async Task Server_Killed_ForgetsNothing_AndTheLinkStillWorks()
    {
        string door;
        using (var process = new StudioProcess(_folder.Path))
        {
            using var owner = new HttpClient { BaseAddress = new(process.Link.Split("/enter")[0]) };
            var token = (await owner.GetStringAsync(process.Link)).Split("data-token=\"")[1].Split('"')[0];
            using var made = await StudioHost.Post(owner, "/study/link?at=study", token,
                owner.BaseAddress!.ToString().TrimEnd('/'));
            door = Door(await made.Content.ReadAsStringAsync());
            var reader = await Enter(new HttpClient(new HttpClientHandler { AllowAutoRedirect = false })
            {
                BaseAddress = owner.BaseAddress,
            }, door, "r1");
            var card = (await Next(reader))!;
            for (var i = 0; i < 3; i++) card = (await Answer(reader, card, _study.Expert()))!;
            process.Kill();
        }
        var again = _studio.Client();
        (await again.GetAsync(door)).Dispose();
        var link = door.Split('/')[2].Split('?')[0];
        var page = await again.GetStringAsync($"/read/{link}");
        Assert.Contains("id=\"reading\"", page, StringComparison.Ordinal);
        var next = await again.GetFromJsonAsync<JsonElement>($"/read/{link}/next");
        Assert.Equal(4, next.GetProperty("number").GetInt32());
    }

    [Fact]
    public async Task Study_EndToEnd_ByKeyboard_GoesOnAfterReloading()
    {
        await using var browser = await Browser.Open(_studio);
        var page = browser.Page;
        await browser.Go("/study?at=study");
        await page.GetByLabel("A note for yourself").FillAsync("Dr. A.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Make a link" }).ClickAsync();
        var link = await page.GetByLabel("The reader's link").InnerTextAsync();
        await browser.Keep("study-1280-light");
        await browser.AssertAccessible();
        await page.GotoAsync(link);
        await browser.Keep("consent-1280-light");
        await browser.AssertAccessible();
        await page.GetByLabel("I agree").CheckAsync();
        await page.GetByLabel("A pseudonym").FillAsync("reader-1");
        await page.GetByLabel("Years").FillAsync("12");
        await page.Keyboard.PressAsync("Enter");
        var (expert, seen) = (_study.Expert(), "");
        for (var i = 1; ; i++)
        {
            var current = page.Locator($"#reading[data-item]:not([data-item='{seen}'])");
            await current.Or(page.GetByText("Thank you. You have answered everything.")).First.WaitForAsync();
            if (!await current.IsVisibleAsync()) break;
            seen = (await page.Locator("#reading").GetAttributeAsync("data-item"))!;
            if (i == 6)
            {
                await page.ReloadAsync();
                await page.Locator($"#reading[data-item='{seen}']").WaitForAsync();
            }
            if (await page.Locator("#editor").IsVisibleAsync())
            {
                if (!File.Exists(_folder["seen-outline"])) await Look("outline");
                await page.Keyboard.PressAsync("o");
                await page.Keyboard.PressAsync("Enter");
                await page.Keyboard.PressAsync("Shift+ArrowLeft");
                await page.Keyboard.PressAsync("Shift+ArrowUp");
                await page.Keyboard.PressAsync("Enter");
                await page.Locator("#next").FocusAsync();
            }
            else
            {
                var realism = await page.Locator("input[name=realism]").CountAsync() > 0;
                if (realism && !File.Exists(_folder["seen-realism"])) await Look("realism");
                if (!realism && i == 1) await Look("quality");
                if (realism) await page.Keyboard.PressAsync($"{expert(seen)}");
                else foreach (var digit in "43") await page.Keyboard.PressAsync(digit.ToString());
            }
            await page.Keyboard.PressAsync("Enter");
        }
        browser.AssertClean();
        Assert.True(StudyChecker.Check(_study.Folder).Readers.Single() is { Total: > 0 } p && p.Answered == p.Total);
        Unsealing.Unseal(_study.Folder);
        Assert.Equal(1, StudyAnalysis.Of(StudyEvidence.Read(_study.Folder)).Readers.Single().Accuracy!.Value, 10);

        async Task Look(string name)
        {
            File.WriteAllText(_folder[$"seen-{name}"], "");
            await browser.Keep($"read-{name}-1280");
            await browser.AssertAccessible();
        }
    }

    [Fact]
    public async Task Withdrawal_LeavesOutAllAnswers()
    {
        await using var browser = await Browser.Open(_studio.Address, 390, colours: ColorScheme.Dark);
        var page = browser.Page;
        await page.GotoAsync(_studio.Address + await MakeLink());
        await page.GetByLabel("I agree").CheckAsync();
        await page.GetByLabel("A pseudonym").FillAsync("My Name");
        Assert.False(await page.GetByLabel("A pseudonym").EvaluateAsync<bool>("e => e.checkValidity()"));
        await page.GetByLabel("A pseudonym").FillAsync("reader-2");
        await page.GetByRole(AriaRole.Button, new() { Name = "Begin" }).ClickAsync();
        await page.Locator("#reading[data-item]").WaitForAsync();
        await browser.Keep("read-quality-390-dark");
        await browser.AssertAccessible();
        await page.GetByText("Stop or withdraw").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Withdraw" }).ClickAsync();
        await Assertions.Expect(page.GetByText("You have withdrawn")).ToBeVisibleAsync();
        Assert.True(File.Exists(_folder["study", "readers", "reader-2.withdrawn"]));
        browser.AssertClean();
    }

    private async Task<string> MakeLink()
    {
        using var made = await _studio.Post("/study/link?at=study", ("note", ""));
        return Door(await made.Content.ReadAsStringAsync());
    }

    private static string Door(string page) => "/door/" + page.Split("/door/")[1].Split('<')[0].Trim();

    private sealed record Entered(HttpClient Client, string Link, string Token);

    private async Task<Entered> Enter(string pseudonym) => await Enter(_studio.Client(), await MakeLink(), pseudonym);

    private static async Task<Entered> Enter(HttpClient client, string door, string pseudonym)
    {
        (await client.GetAsync(door)).Dispose();
        var link = door.Split('/')[2].Split('?')[0];
        var token = (await client.GetStringAsync($"/read/{link}")).Split("data-token=\"")[1].Split('"')[0];
        using var agreed = await StudioHost.Post(client, $"/read/{link}/consent", token,
            client.BaseAddress!.ToString().TrimEnd('/'),
            ("agree", "yes"), ("consent", SmallStudy.Consent), ("reader", pseudonym), ("specialty", "gastroenterology"),
            ("years", "7"), ("width", "1920"), ("height", "1080"), ("ratio", "1"));
        Assert.Equal(HttpStatusCode.Redirect, agreed.StatusCode);
        return new(client, link, token);
    }

    private static async Task Read(Entered reader, Func<string, int> realism)
    {
        for (var card = await Next(reader); card is not null;) card = await Answer(reader, card, realism);
        Assert.Contains("Thank you", await reader.Client.GetStringAsync($"/read/{reader.Link}"), StringComparison.Ordinal);
    }

    private static async Task<JsonElement?> Next(Entered reader) =>
        Card(await reader.Client.GetFromJsonAsync<JsonElement>($"/read/{reader.Link}/next"));

    private static async Task<JsonElement?> Answer(Entered reader, JsonElement? card, Func<string, int> realism)
    {
        var body = card!.Value.GetProperty("block").GetString() switch
        {
            "quality" => Body(card, quality: 4, shape: 3),
            "realism" => Body(card, realism: realism(Item(card))),
            _ => Body(card, outline: PackedMask.Pack(Siamorph.Tests.Imaging.Pictures.Disc(32, 32, 0.2))),
        };
        using var response = await Send(reader, body);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return Card(await response.Content.ReadFromJsonAsync<JsonElement>());
    }

    private static JsonElement? Card(JsonElement json) => json.ValueKind == JsonValueKind.Null ? null : json;

    private static string Item(JsonElement? card) => card!.Value.GetProperty("item").GetString()!;

    private static object Body(JsonElement? card, int? quality = null, int? shape = null, int? realism = null,
        byte[]? outline = null) => new
    {
        item = Item(card), quality, shape, realism, outline, shown = DateTimeOffset.UtcNow, milliseconds = 4000,
        hiddenMilliseconds = 100, zoom = 1,
    };

    private static async Task<HttpResponseMessage> Send(Entered reader, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/read/{reader.Link}/answer")
        {
            Content = JsonContent.Create(body),
        };
        request.Headers.Add("Origin", reader.Client.BaseAddress!.ToString().TrimEnd('/'));
        request.Headers.Add("X-Siamorph", reader.Token);
        return await reader.Client.SendAsync(request);
    }
}
