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
}
