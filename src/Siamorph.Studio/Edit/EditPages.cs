using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Imaging;
using Siamorph.Studio.Data;
using Siamorph.Studio.Folders;
using Siamorph.Studio.Pages;

namespace Siamorph.Studio.Edit;

/// <summary>A pair whose mask is shown to be changed.</summary>
/// <param name="At">Its dataset, below the root.</param>
/// <param name="Id">The pair, for people.</param>
/// <param name="Key">The pair, in addresses.</param>
/// <param name="Draft">Names its unsaved strokes in the browser; the same after the Studio was started anew.</param>
/// <param name="Image">Address of its image.</param>
/// <param name="Known">Hash of the mask's file as it was read.</param>
/// <param name="Width">Pixels across.</param>
/// <param name="Height">Pixels down.</param>
internal sealed record EditModel(
    string At, string Id, string Key, string Draft, string Image, string Known, int Width, int Height)
{
    public string? Previous { get; init; }

    public string? Next { get; init; }

    /// <summary>A training run that can draw.</summary>
    public string? Run { get; init; }

    /// <summary>What is lost by saving; null for nothing.</summary>
    public string? Loss { get; init; }

    /// <summary>Why this mask can't be changed here; null where it can.</summary>
    public string? Obstacle { get; init; }
}

/// <summary>The addresses of the mask editor.</summary>
internal static class EditPages
{
    public static void Map(IEndpointRouteBuilder routes, StudioServices desk, DatasetIndex shelf)
    {
        routes.MapGet("/edit", (HttpContext context, string pair) => Html.Page<EditPage>(context, Model(desk, shelf, pair)));
        routes.MapGet("/edit/{pair}/bits", (string pair) =>
        {
            var found = Shown(desk, shelf, pair);
            return Results.Bytes(PackedMask.Pack(AtImageSize(found.Pair)), "application/octet-stream");
        });
        routes.MapPost("/edit/{pair}", async (string pair, HttpContext context) =>
        {
            var (found, known) = (Shown(desk, shelf, pair), context.Request.Headers["X-Known"].ToString());
            var mask = PackedMask.Unpack(await Body(context.Request), ImageFile.Identify(found.Pair.ImagePath).Size);
            var edit = MaskEdits.Save(found.Dataset, found.Pair, mask, known, (Environment.UserName, DateTimeOffset.UtcNow));
            return Results.Json(new { known = edit.After.Sha256 });
        });
    }

    private static EditModel Model(StudioServices desk, DatasetIndex shelf, string key)
    {
        var (dataset, pair, index) = Shown(desk, shelf, key);
        var size = ImageFile.Identify(pair.ImagePath).Size;
        string? Beside(int by) => index + by >= 0
            && index + by < dataset.Pairs.Count ? shelf.KeyOf(dataset, dataset.Pairs[index + by]) : null;
        var draft = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{dataset.Folder}\n{pair.Id}")))[..24];
        return new(desk.Root.RelativeOf(dataset.Folder), pair.Id, key, draft, desk.Pictures.Address(pair.ImagePath, pair.Range),
            ContentHash.OfFile(pair.MaskPath), size.Width, size.Height)
        {
            Previous = Beside(-1),
            Next = Beside(1),
            Run = FolderIndex.Of(desk.Root).FirstOrDefault(f => RunView.Draws(desk.Root.Resolve(f.Path)))?.Path,
            Loss = MaskEdits.Loss(pair),
            Obstacle = MaskEdits.Obstacle(dataset, pair),
        };
    }

    private static ServedPair Shown(StudioServices desk, DatasetIndex shelf, string key)
    {
        var found = shelf.Find(key);
        if (found.Pair.IsUnlabelled) throw new StudioException(404, "This image has no mask yet.");
        if (!found.Pair.MoreMaskPaths.Concat([found.Pair.MaskPath, found.Pair.ImagePath]).All(desk.Root.Inside))
            throw new StudioException(403, "This pair's files lie outside the Studio's folder.");
        return found;
    }

    // A mask of another size than its image is a finding; here it is brought to the image's.
    private static LabelMap AtImageSize(ImageMaskPair pair)
    {
        var (mask, size) = (PairCards.MaskOf(pair), ImageFile.Identify(pair.ImagePath).Size);
        return mask.Size == size ? mask : Resize.Mask(mask, size);
    }

    private static async Task<byte[]> Body(HttpRequest request)
    {
        using var bytes = new MemoryStream();
        await request.Body.CopyToAsync(bytes);
        return bytes.ToArray();
    }
}
