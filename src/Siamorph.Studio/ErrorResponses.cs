using Microsoft.AspNetCore.Http;
using Siamorph.Studio.Pages;

namespace Siamorph.Studio;

/// <summary>Turns whatever goes wrong into a page that says what to do, or a line for scripts.</summary>
internal static class ErrorResponses
{
    private const int Unprocessable = 422;

    public static async Task Show(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
            if (context.Response is { StatusCode: 404, HasStarted: false }) await Answer(context, 404, "There is no such page.");
        }
        catch (Exception e) when (!context.Response.HasStarted && Status(e) is not null)
        {
            await Answer(context, Status(e)!.Value, e.Message);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // the browser has left
        }
    }

    private static int? Status(Exception e) => e switch
    {
        StudioException fault => fault.Status,
        BadHttpRequestException bad => bad.StatusCode,
        SiamorphException => Unprocessable,
        IOException or UnauthorizedAccessException => Unprocessable,
        _ => null,
    };

    private static async Task Answer(HttpContext context, int status, string message)
    {
        context.Response.StatusCode = status;
        var wantsPage = context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal);
        if (wantsPage) await Html.Page<ErrorPage>(context, new ErrorModel(status, message), status).ExecuteAsync(context);
        else await Results.Text(message, statusCode: status).ExecuteAsync(context);
    }
}
