using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Siamorph.Diffusion;
using Siamorph.Imaging;
using Siamorph.Studio.Data;
using Siamorph.Studio.Folders;
using Siamorph.Studio.Pages;
using Siamorph.Synthesis;

namespace Siamorph.Studio.Draw;

/// <summary>What the drawing page begins with.</summary>
/// <param name="At">The run, below the root.</param>
/// <param name="Size">Pixels across of the canvas.</param>
/// <param name="Pair">A pair to begin from; null for an empty canvas.</param>
/// <param name="Image">Address of its image.</param>
/// <param name="Runs">Runs that can draw.</param>
internal sealed record DrawModel(string At, ImageSize Size, string? Pair, string? Image, IReadOnlyList<string> Runs);

/// <summary>What the page asks for.</summary>
internal sealed record DrawForm(
    byte[] Bits, int Width, int Height, Seed Seed, int Number, int? Steps, double? Guidance, bool FromReal,
    double? Strength, string? Pair, bool Previews, string? Prompt = null, string? Sampler = null);

/// <summary>The addresses of the drawing page.</summary>
internal static class DrawPages
{
    private const int Canvas = 256, PreviewEvery = 2, MostDrawn = 64;

    public static void Map(IEndpointRouteBuilder routes, StudioServices desk, DatasetIndex shelf, DrawingService drawing)
    {
        var drawn = new ConcurrentDictionary<string, DrawAnswer>(StringComparer.Ordinal);
        routes.MapGet("/draw", (HttpContext context, string at, string? pair) =>
            Html.Page<DrawPage>(context, Model(desk, shelf, at, pair)));
        routes.MapPost("/draw/warm", async (string at, HttpContext context) =>
            Results.Json((await drawing.Of(Run(desk.Root, at), context.RequestAborted)).Model, DrawRequest.Json));
        routes.MapPost("/draw/image", async (string at, DrawForm form, HttpContext context) =>
        {
            var (run, request) = (Run(desk.Root, at), Request(desk, shelf, form));
            var child = await drawing.Of(run, CancellationToken.None);
            context.Response.ContentType = "application/x-ndjson";
            var answer = await child.Draw(request, a => Send(context, a, null), context.RequestAborted);
            if (drawn.Count >= MostDrawn) drawn.Clear(); // what nobody kept by then
            var name = Security.Sessions.Random();
            if (answer.Image is not null) drawn[name] = answer;
            await Send(context, answer, answer.Image is null ? null : name);
        });
        routes.MapPost("/draw/keep", (string name, string folder) =>
        {
            var answer = drawn.TryGetValue(name, out var found) ? found
                : throw new StudioException(404, "This image is no longer here. Draw it again.");
            var target = desk.Root.ResolveNew(folder);
            return Results.Json(new { pair = SavedPairs.Add(target, answer).Id, at = desk.Root.RelativeOf(target) });
        });
    }

    private static DrawModel Model(StudioServices desk, DatasetIndex shelf, string at, string? pair)
    {
        Run(desk.Root, at);
        var runs = FolderIndex.Of(desk.Root).Where(f => RunView.Draws(desk.Root.Resolve(f.Path))).Select(f => f.Path);
        if (pair is null) return new(at, new ImageSize(Canvas, Canvas), null, null, [.. runs]);
        var found = shelf.Find(pair).Pair;
        return new(at, ImageFile.Identify(found.ImagePath).Size, pair,
            desk.Pictures.Address(found.ImagePath, found.Range), [.. runs]);
    }

    private static string Run(RootFolder root, string at)
    {
        var folder = root.Resolve(at);
        return RunView.Draws(folder) ? folder : throw new StudioException(404, $"{at}: this is no run that can draw.");
    }

    // The mask's own name goes into the noise: the same mask gives the same image again, here as by `synthesize`.
    private static DrawRequest Request(StudioServices desk, DatasetIndex shelf, DrawForm form)
    {
        var mask = PackedMask.Unpack(form.Bits, new ImageSize(form.Width, form.Height));
        if (!mask.Labels.Contains((byte)1)) throw new StudioException(400, "The mask is empty. Draw a lesion first.");
        var pair = form.FromReal ? shelf.Find(form.Pair
            ?? throw new StudioException(400, "Choose a pair to start from a real image.")).Pair : null;
        return new()
        {
            Id = $"drawn-{Convert.ToHexStringLower(SHA256.HashData(form.Bits))[..10]}", Number = form.Number, Seed = form.Seed,
            Guidance = form.Guidance, Prompt = form.Prompt,
            Sampler = SamplerOf(form.Sampler), Steps = form.Steps,
            Mask = new MaskBytes
            {
                Bits = form.Bits, Width = form.Width, Height = form.Height,
            }, PreviewEvery = form.Previews ? PreviewEvery : 0,
            Start = pair is null ? SampleStart.Noise : SampleStart.Real, Strength = pair is null ? null : form.Strength,
            Image = pair is null ? null : ImageFile.EncodePng(
                ImageFile.DecodeRgb(pair.Id, desk.Root.ReadBytes(pair.ImagePath), pair.Range)), Host = pair?.Id,
        };
    }

    private static SamplerKind? SamplerOf(string? name) => string.IsNullOrEmpty(name) ? null
        : Enum.TryParse<SamplerKind>(name, ignoreCase: true, out var kind) && Enum.IsDefined(kind) ? kind
        : throw new StudioException(400,
        $"There is no sampler of that name. Choose one of {string.Join(", ", Enum.GetNames<SamplerKind>())}.");

    private static async Task Send(HttpContext context, DrawAnswer answer, string? name)
    {
        var line = new { image = answer.Image ?? answer.Preview, last = answer.Preview is null, answer.Error, answer.Done,
            answer.Steps, answer.Pair, answer.Seconds, name };
        await context.Response.WriteAsync(JsonSerializer.Serialize(line, JsonSerializerOptions.Web) + "\n",
            context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }
}
