using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Siamorph.Studio;

/// <summary>Style sheets and scripts, which lie within this assembly: nothing is fetched from elsewhere.</summary>
internal static class StaticAssets
{
    private static readonly Dictionary<string, string> Kinds = new(StringComparer.Ordinal)
    {
        [".css"] = "text/css; charset=utf-8", [".js"] = "text/javascript; charset=utf-8", [".svg"] = "image/svg+xml",
    };

    // The reports' own style sheet: pages and reports look alike.
    private const string House = "house.css";

    private static readonly byte[] HouseStyle = System.Text.Encoding.UTF8.GetBytes(Reports.HtmlStyle.Sheet);

    /// <summary>Changes with every build: browsers ask whether what they keep still holds, and no old script stays.</summary>
    public static string Version { get; } = typeof(StaticAssets).Assembly.ManifestModule.ModuleVersionId.ToString("N")[..8];

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/assets/{name}", (string name, HttpContext context) =>
        {
            if (!Kinds.TryGetValue(Path.GetExtension(name), out var kind)
                || (name == House ? HouseStyle : Read(name)) is not { } bytes) throw StudioException.Missing("The file");
            context.Response.Headers.CacheControl = "no-cache";
            return Results.Bytes(bytes, kind, entityTag: new($"\"{Version}\""));
        });
    }

    private static byte[]? Read(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name);
        if (stream is null) return null;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
