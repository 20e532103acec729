using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Playwright;

namespace Siamorph.Benchmarks;

/// <summary>
/// How long people wait in the Studio, in Chromium without a window, over a folder of pairs and a run that can draw:
/// <code>
/// Siamorph.Benchmarks studio ROOT DATASET RUN [STUDY]      (all below ROOT; a reader called bench-… joins the study)
/// </code>
/// </summary>
internal static class StudioRates
{
    private const int StrokeMoves = 240, Drawings = 9, Readings = 60;
    private const int Settling = 2000, Watched = 30_000; // milliseconds

    public static int Run(string[] arguments)
    {
        if (arguments.Length < 4)
        {
            Console.Error.WriteLine("Siamorph.Benchmarks studio ROOT DATASET RUN [STUDY]");
            return 2;
        }
        if (arguments[2..].Select(f => Path.Combine(arguments[1], f)).FirstOrDefault(f => !Directory.Exists(f)) is { } missing)
        {
            Console.Error.WriteLine($"{missing}: there is no such folder. Make it with siamorph first.");
            return 2;
        }
        Measure(arguments[1], arguments[2], arguments[3], arguments.ElementAtOrDefault(4)).GetAwaiter().GetResult();
        return 0;
    }

    private static async Task Measure(string root, string dataset, string run, string? study)
    {
        var pictures = Path.Combine(root, ".studio", "pictures");
        if (Directory.Exists(pictures)) Directory.Delete(pictures, recursive: true);
        using var program = StartProgram("studio", "--root", root, "--port", "0");
        string? link = null;
        while (link is null) if (program.StandardOutput.ReadLine() is { } line
            && line.StartsWith("http", StringComparison.Ordinal)) link = line;
        try
        {
            using var playwright = await Playwright.CreateAsync();
            await using var browser = await playwright.Chromium.LaunchAsync(new()
            {
                ExecutablePath = "/usr/bin/chromium", Args = ["--no-sandbox"],
            });
            var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = 1280, Height = 1024 } });
            await page.GotoAsync(link);
            var address = link.Split("/enter")[0];
            await Grid(page, address, dataset);
            await Stroke(page);
            await Draw(page, address, run);
            await DrawBesideTraining(page, root, dataset);
            Say("memory of the server", program.WorkingSet64 / 1e6, "MB");
            await Idle(page, address, root, run, program);
            if (study is not null) await Read(page, address, study);
        }
        finally
        {
            program.Kill();
        }
    }

    // Milliseconds from the click that leads to the page until every image in the window is there and decoded.
    private const string FirstView = """
        async () => {
          const frame = () => new Promise(requestAnimationFrame);
          while (!document.querySelector('.pair')) await frame();
          const seen = [...document.querySelectorAll('.pair')].filter(p => p.getBoundingClientRect().top < innerHeight);
          await Promise.all(seen.map(p => p.querySelector('img').decode()));
          return performance.now();
        }
        """;

    // The same for all images of the grid, those out of sight too.
    private const string AllImages = """
        async () => {
          while (!document.getElementById('grid').dataset.ready) await new Promise(requestAnimationFrame);
          const all = [...document.querySelectorAll('.pair img')];
          await Promise.all(all.map(i => {
            i.loading = 'eager';
            return i.complete ? 0 : new Promise(done => ['load', 'error'].forEach(e => i.addEventListener(e, done)));
          }));
          return performance.now();
        }
        """;

    private static async Task Grid(IPage page, string address, string dataset)
    {
        async Task All(string when)
        {
            await page.GotoAsync($"{address}/data?at={WebUtility.UrlEncode(dataset)}",
                new() { WaitUntil = WaitUntilState.Commit });
            Say($"first view, {when}", await page.EvaluateAsync<double>(FirstView) / 1000, "s");
            Say($"all thumbnails, {when}", await page.EvaluateAsync<double>(AllImages) / 1000, "s");
        }

        await All("cold");
        await All("warm");
        await page.Locator("#grid[data-images]").WaitForAsync();
        await Task.Delay(Settling);
        var frames = await page.EvaluateAsync<double[]>("""
            async () => {
              const times = [];
              let last = performance.now();
              for (let i = 0; i < 120; i++) {
                scrollBy(0, 400);
                await new Promise(requestAnimationFrame);
                const now = performance.now();
                times.push(now - last);
                last = now;
              }
              scrollTo(0, 0);
              return times;
            }
            """);
        Say("scrolling, frame at the 95th percentile", Percentile(frames, 0.95), "ms");
    }

    // At 1280 by 1024, whatever the pictures' size: the editor's own code, on a mask of that size.
    private static async Task Stroke(IPage page)
    {
        await page.Locator(".pair a").First.ClickAsync();
        await page.Locator("#editor[data-ready]").WaitForAsync();
        var times = await page.EvaluateAsync<double[]>($$"""
            async () => {
              const { Editor } = await import('/assets/editor.js');
              const box = document.getElementById('editor'), editor = new Editor(box, 1280, 1024), times = [];
              editor.size = 40;
              editor.begin();
              editor.last = [100, 100];
              editor.value = 1;
              for (let i = 0; i < {{StrokeMoves}}; i++) {
                const to = [100 + 4 * i, 100 + Math.round(300 + 300 * Math.sin(i / 15))], start = performance.now();
                editor.mask.stroke(editor.last, to, editor.size, 1);
                editor.paint(editor.last, to);
                editor.last = to;
                const painted = performance.now() - start;
                await new Promise(requestAnimationFrame); // a wait, not work
                const drawing = performance.now();
                editor.render();
                times.push(painted + performance.now() - drawing);
              }
              return times;
            }
            """);
        Say("a stroke's move at 1280 × 1024 and its drawing, 95th percentile", Percentile(times, 0.95), "ms");
    }

    // Milliseconds from the click until the image is there and decoded.
    private const string ClickToImage = """
        async () => {
          const box = document.getElementById('editor');
          delete box.dataset.drawn;
          const drawn = new Promise(done =>
            new MutationObserver(() => box.dataset.drawn && done()).observe(box, { attributes: true }));
          const start = performance.now();
          document.getElementById('another').click();
          await drawn;
          await document.getElementById('result').decode();
          return performance.now() - start;
        }
        """;

    private static async Task Draw(IPage page, string address, string run)
    {
        var clock = Stopwatch.StartNew();
        await page.GotoAsync($"{address}/draw?at={WebUtility.UrlEncode(run)}");
        await page.Locator("#editor[data-ready]").WaitForAsync(new() { Timeout = 120_000 });
        Say("loading the model", clock.Elapsed.TotalSeconds, "s");
        await page.EvaluateAsync("siamorphEditor.change('x', m => m.ellipse([80, 90], [170, 150], 1))");
        await Click(page, "click to image");
    }

    private static async Task DrawBesideTraining(IPage page, string root, string dataset)
    {
        var folder = Path.Combine(root, $"bench-training-{Environment.ProcessId}");
        using var training = StartProgram("train", Path.Combine(root, dataset), "--preset", "tiny", "--out", folder);
        try
        {
            while (!File.Exists(Path.Combine(folder, "log.jsonl")) && !training.HasExited) await Task.Delay(200);
            await Click(page, "click to image beside a training");
            if (training.HasExited) Console.WriteLine("The training had ended before: this figure is of a quiet machine.");
        }
        finally
        {
            training.Kill();
            await training.WaitForExitAsync();
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task Click(IPage page, string what)
    {
        var times = new List<double>();
        for (var i = 0; i < Drawings; i++) times.Add(await page.EvaluateAsync<double>(ClickToImage) / 1000);
        Say($"{what}, median", Percentile([.. times.Skip(1)], 0.5), "s");
    }

    private static Process StartProgram(params string[] arguments) => Process.Start(new ProcessStartInfo(
        Path.Combine(AppContext.BaseDirectory, "Siamorph.Cli"), arguments) { RedirectStandardOutput = true })!;

    // From the key that sends an answer to the next image on the screen; practice items count too.
    private static async Task Read(IPage page, string address, string study)
    {
        await page.GotoAsync($"{address}/study?at={WebUtility.UrlEncode(study)}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Make a link" }).ClickAsync();
        await page.GotoAsync(await page.GetByLabel("The reader's link").InnerTextAsync());
        await page.GetByLabel("I agree").CheckAsync();
        await page.GetByLabel("A pseudonym").FillAsync($"bench-{Environment.ProcessId}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Begin" }).ClickAsync();
        await page.Locator("#reading[data-item]").WaitForAsync();
        var times = new List<double>();
        for (var i = 0; i < Readings && await page.Locator("#answers input").CountAsync() > 0; i++)
            times.Add(await page.EvaluateAsync<double>("""
                async () => {
                  const box = document.getElementById('reading'), before = box.dataset.item;
                  for (const field of document.querySelectorAll('#answers fieldset'))
                    field.querySelector('input[value="3"]').click();
                  const changed = new Promise(done =>
                    new MutationObserver(() => box.dataset.item === before || done()).observe(box, { attributes: true }));
                  const start = performance.now();
                  document.getElementById('next').click();
                  await changed;
                  return performance.now() - start;
                }
                """));
        Say("answer to the next image of a study, median", Percentile([.. times], 0.5), "ms");
        Say("answer to the next image of a study, 95th percentile", Percentile([.. times], 0.95), "ms");
    }

    // While somebody watches a run: as it lies; then a copy whose log gets an entry every half second, as from a training.
    private static async Task Idle(IPage page, string address, string root, string run, Process program)
    {
        await Watch(page, address, run, program, "a run at rest");
        var growing = $"bench-{Environment.ProcessId}";
        var folder = Directory.CreateDirectory(Path.Combine(root, growing)).FullName;
        foreach (var file in new[] { "options.json", "environment.json", "log.jsonl" })
            File.Copy(Path.Combine(root, run, file), Path.Combine(folder, file));
        try
        {
            var log = Path.Combine(folder, "log.jsonl");
            var last = JsonNode.Parse((await File.ReadAllLinesAsync(log))[^1])!;
            using var timer = new Timer(_ =>
            {
                last["step"] = (long)last["step"]! + 1;
                last["time"] = DateTime.UtcNow;
                File.AppendAllText(log, last.ToJsonString() + "\n");
            }, null, 0, 500);
            await Watch(page, address, growing, program, "a run in training");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task Watch(IPage page, string address, string run, Process program, string what)
    {
        await page.GotoAsync($"{address}/run?at={WebUtility.UrlEncode(run)}");
        await Task.Delay(Watched / 2); // by then the compiler has done its part
        program.Refresh();
        var (before, clock) = (program.TotalProcessorTime, Stopwatch.StartNew());
        await Task.Delay(Watched);
        program.Refresh();
        Say($"processor while watching {what}", 100 * (program.TotalProcessorTime - before) / clock.Elapsed, "% of one core");
    }

    private static double Percentile(double[] values, double share)
    {
        double[] sorted = [.. values.Order()];
        return sorted[(int)Math.Round(share * (sorted.Length - 1))];
    }

    private static void Say(string what, double value, string unit) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {value:0.00} {unit}"));
}
