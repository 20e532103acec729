using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Siamorph.Studio.Security;

namespace Siamorph.Studio.Pages;

/// <summary>Answers with a page.</summary>
internal static class Html
{
    public static RazorComponentResult<T> Page<T>(HttpContext context, object model, int status = 200) where T : IComponent =>
        new(new Dictionary<string, object?>
        {
            [nameof(StudioComponent.Model)] = model, [nameof(StudioComponent.Session)] = context.Items[typeof(Session)],
        })
        {
            StatusCode = status, PreventStreamingRendering = true,
        };

    /// <summary>
    /// A part of a page that is asked for again and again: drawn only where <paramref name="version"/>, all that it shows in a
    /// few words, is another than the one that the browser has.
    /// </summary>
    public static IResult Part<T>(HttpContext context, object model, string version) where T : IComponent
    {
        var session = context.Items[typeof(Session)] as Session; // the part has forms with the session's own token
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{StaticAssets.Version}\n{session?.FormToken}\n{version}"));
        var tag = $"\"{Convert.ToHexStringLower(hash)[..16]}\"";
        context.Response.Headers.ETag = tag;
        context.Response.Headers.CacheControl = "private, no-cache";
        return context.Request.Headers.IfNoneMatch.ToString() == tag ? Results.StatusCode(StatusCodes.Status304NotModified)
            : Page<T>(context, model);
    }
}
