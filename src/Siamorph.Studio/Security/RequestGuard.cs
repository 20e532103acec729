using Microsoft.AspNetCore.Http;

namespace Siamorph.Studio.Security;

/// <summary>
/// Every request passes here first: the host has to be this machine's loopback address and port (DNS rebinding), the browser has
/// to have entered, and what changes something has to come from a page of this server and bear its token.
/// </summary>
internal sealed class RequestGuard(Sessions sessions)
{
    /// <summary>The part of the addresses that readers may see.</summary>
    public const string ReadingPath = "/read";

    private const string Policy =
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        + "frame-ancestors 'none'";

    /// <summary>Known once the server listens.</summary>
    public int Port { get; set; }

    public async Task Pass(HttpContext context, RequestDelegate next)
    {
        Harden(context.Response.Headers);
        if (!Hosts.Contains(context.Request.Host.Value))
            throw new StudioException(400, "This address does not belong to the Studio.");
        if (!IsOpen(context.Request.Path))
        {
            var session = Find(context) ?? throw new StudioException(401,
                "This browser has not entered. Open the link that `siamorph studio` printed; each works once, and the terminal "
                    + "shows the next one.");
            context.Items[typeof(Session)] = session;
            if (!Safe(context.Request.Method)) RefuseForeign(context.Request, session, await Token(context.Request));
        }
        await next(context);
    }

    /// <summary>Whoever sent this request.</summary>
    public static Session Of(HttpContext context) => (Session)context.Items[typeof(Session)]!;

    private IEnumerable<string> Hosts => [$"127.0.0.1:{Port}", $"localhost:{Port}"];

    // Style sheets and scripts hold nothing of anyone; doors look at the tokens themselves.
    private static bool IsOpen(PathString path) =>
        path.StartsWithSegments("/assets", StringComparison.Ordinal) || path == "/enter"
        || path.StartsWithSegments("/door", StringComparison.Ordinal);

    // Pages of a study are the reader's where one has entered here, the owner's otherwise; all else is the owner's alone.
    private Session? Find(HttpContext context)
    {
        var owner = sessions.Find(context.Request.Cookies[Sessions.OwnerCookie]) is { IsOwner: true } session ? session : null;
        if (!context.Request.Path.StartsWithSegments(ReadingPath, StringComparison.Ordinal, out var rest))
            return owner ?? Denied(context);
        var reader = sessions.Find(context.Request.Cookies[Sessions.ReaderCookie]);
        return reader?.Link is { } link && rest.StartsWithSegments($"/{link.Id}", StringComparison.Ordinal) ? reader
            : reader is null ? null : throw new StudioException(403, "This link opens another study.");
    }

    private Session? Denied(HttpContext context) =>
        sessions.Find(context.Request.Cookies[Sessions.ReaderCookie]) is null ? null
        : throw new StudioException(403, "A reader's link opens one study and nothing else.");

    private void RefuseForeign(HttpRequest request, Session session, string? token)
    {
        var origin = request.Headers.Origin.ToString();
        if (!Hosts.Any(h => origin == $"http://{h}"))
            throw new StudioException(403, "This did not come from a page of the Studio.");
        if (token is null || !Sessions.Same(token, session.FormToken))
            throw new StudioException(403,
                "This page is older than the Studio that runs now. Load it again and repeat what you did.");
    }

    private static async Task<string?> Token(HttpRequest request) =>
        request.Headers.TryGetValue("X-Siamorph", out var given) ? given.ToString()
        : request.HasFormContentType ? (await request.ReadFormAsync())["token"].ToString() : null;

    private static bool Safe(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method);

    private static void Harden(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
    }
}
