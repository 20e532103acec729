using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Siamorph.Imaging;

namespace Siamorph.Studio.Images;

/// <summary>An image that a page shows.</summary>
/// <param name="Path">Its file.</param>
/// <param name="Range">How levels of more than 8 bits are brought to 0…255.</param>
internal sealed record ServedImage(string Path, IntensityRange? Range = null);

/// <summary>
/// Images by names that tell nothing: browsers never see where a file lies or what it is called, and get pixels that were encoded
/// anew, never the file. Small ones are kept below .studio.
/// </summary>
internal sealed class ImageStore(RootFolder root) : IDisposable
{
    private const int AtOnce = 2, Quality = 90;

    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);
    private readonly ConcurrentDictionary<string, ServedImage> _pictures = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _decoding = new(AtOnce);

    /// <summary>The address of an image.</summary>
    public string Address(string path, IntensityRange? range = null)
    {
        var id = Convert.ToHexStringLower(HMACSHA256.HashData(_secret, Encoding.UTF8.GetBytes($"{path}\n{range}")))[..32];
        _pictures[id] = new(path, range);
        return $"/picture/{id}";
    }

    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/picture/{id}", async (string id, int? size, HttpContext context) =>
    {
        var picture = _pictures.TryGetValue(id, out var known) ? known : throw StudioException.Missing("The image");
        var written = File.GetLastWriteTimeUtc(picture.Path).Ticks;
        context.Response.Headers.CacheControl = "private, no-cache";
        var tag = new Microsoft.Net.Http.Headers.EntityTagHeaderValue(
            string.Create(CultureInfo.InvariantCulture, $"\"{id[..8]}-{written:x}-{size ?? 0}\""));
        if (context.Request.Headers.IfNoneMatch.ToString() == tag.ToString()) return Results.StatusCode(304);
        return Results.Bytes(await Encoded(picture, size, context.RequestAborted), size is null ? "image/png" : "image/jpeg",
            entityTag: tag);
    });

    /// <summary>The image as PNG; or fitted into a square of so many pixels, as JPEG.</summary>
    public async Task<byte[]> Encoded(ServedImage picture, int? size, CancellationToken stop)
    {
        if (size is < 16 or > 2048) throw new StudioException(400, "Images are shown at 16 to 2048 pixels.");
        var kept = size is null ? null : Kept(picture, size.Value);
        if (kept is not null && File.Exists(kept)) return await File.ReadAllBytesAsync(kept, stop);
        await _decoding.WaitAsync(stop);
        try
        {
            var bytes = Encode(picture, size);
            if (kept is not null) AtomicFile.Write(kept, s => s.Write(bytes), lasting: false);
            return bytes;
        }
        finally
        {
            _decoding.Release();
        }
    }

    public void Dispose() => _decoding.Dispose();

    private byte[] Encode(ServedImage picture, int? size)
    {
        var bytes = root.ReadBytes(picture.Path);
        return size is { } side ? ImageFile.EncodeJpeg(ImageFile.DecodeReduced(picture.Path, bytes, side, picture.Range), Quality)
            : ImageFile.EncodePng(ImageFile.DecodeRgb(picture.Path, bytes, picture.Range));
    }

    private string Kept(ServedImage picture, int size)
    {
        var file = new FileInfo(picture.Path);
        var name = string.Create(CultureInfo.InvariantCulture,
            $"{picture.Path}\n{picture.Range}\n{file.LastWriteTimeUtc.Ticks}\n{(file.Exists ? file.Length : 0)}\n{size}");
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
        return Path.Combine(root.State, "pictures", hash[..2], $"{hash[2..34]}.jpg");
    }
}
