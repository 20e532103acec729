using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Siamorph.Studio.Security;

/// <summary>Where browsers enter: the owner by a link that works once, a reader by the link to one study.</summary>
internal static class EntryLinks
{
    public static void Map(IEndpointRouteBuilder routes, Sessions sessions, ReaderLinks links)
    {
        routes.MapGet("/enter", (HttpContext context, string? token) =>
        {
            var session = sessions.Enter(token) ?? throw new StudioException(403,
                "This link was used already, or is not the newest. The terminal in which `siamorph studio` runs shows the one "
                    + "that works now.");
            Give(context, Sessions.OwnerCookie, session);
            return Results.Redirect("/");
        });
        routes.MapGet("/door/{id}", (HttpContext context, string id, string? token) =>
        {
            var link = links.Enter(id, token)
                ?? throw new StudioException(403, "This link does not open anything. Ask whoever sent it for a new one.");
            Give(context, Sessions.ReaderCookie, sessions.Add(link));
            return Results.Redirect($"{RequestGuard.ReadingPath}/{id}");
        });
    }

    private static void Give(HttpContext context, string cookie, Session session) =>
        context.Response.Cookies.Append(cookie, session.Secret, new()
    {
        HttpOnly = true, SameSite = SameSiteMode.Strict, IsEssential = true, Path = "/",
    });
}
