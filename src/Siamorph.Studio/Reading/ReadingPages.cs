using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Siamorph.Studio.Pages;
using Siamorph.Studio.Security;
using Siamorph.Study;

namespace Siamorph.Studio.Reading;

/// <summary>What a reader's page shows.</summary>
/// <param name="Link">Stands in its addresses.</param>
/// <param name="Place">Where the reader is.</param>
/// <param name="Study">What may be told of the study.</param>
internal sealed record ReadModel(string Link, ReadingPlace Place, StudyFile Study)
{
    public string? Later { get; init; }

    public string? Fault { get; init; }

    public IReadOnlyDictionary<string, string> Filled { get; init; } = new Dictionary<string, string>();

    public string Value(string name) => Filled.GetValueOrDefault(name, "");
}

/// <summary>The addresses under which readers judge images. Every one works on the study of the reader's own link.</summary>
internal static class ReadingPages
{
    public static void Map(IEndpointRouteBuilder routes, ReadingService desk)
    {
        routes.MapGet("/read/{link}", (HttpContext context) => Html.Page<ReadPage>(context, Model(desk, LinkOf(context))));
        routes.MapPost("/read/{link}/consent", async (HttpContext context) =>
        {
            var (link, form) = (LinkOf(context),
                (await context.Request.ReadFormAsync()).ToDictionary(f => f.Key, f => f.Value.ToString()));
            try
            {
                desk.Enrol(link, Profile(form));
                return Results.Redirect($"/read/{link.Id}");
            }
            catch (InvalidStudyException e)
            {
                return Html.Page<ReadPage>(context, Model(desk, link) with { Fault = e.Message, Filled = form }, 422);
            }
        });
        routes.MapGet("/read/{link}/next", (HttpContext context) => Card(desk.Next(LinkOf(context))));
        routes.MapGet("/read/{link}/image/{item}",
            (HttpContext context, string item) => Results.Bytes(desk.Picture(LinkOf(context), item), "image/png"));
        routes.MapPost("/read/{link}/answer",
            (HttpContext context, AnswerForm answer) => Card(desk.Answer(LinkOf(context), answer)));
        routes.MapPost("/read/{link}/withdraw", (HttpContext context) =>
        {
            desk.Withdraw(LinkOf(context));
            return Results.Redirect($"/read/{LinkOf(context).Id}");
        });
    }

    // Nothing is sent as null, not as an empty body.
    private static IResult Card(ReadingCard? card) =>
        card is null ? Results.Text("null", "application/json") : Results.Json(card);

    private static ReaderLink LinkOf(HttpContext context) => RequestGuard.Of(context).Link!;

    private static ReadModel Model(ReadingService desk, ReaderLink link)
    {
        var place = desk.PlaceOf(link);
        return new(link.Id, place, desk.Study(link)) { Later = place == ReadingPlace.Finished ? desk.Later(link) : null };
    }

    private static ReaderProfile Profile(Dictionary<string, string> form)
    {
        if (!form.ContainsKey("agree")) throw new InvalidStudyException("Tick that you agree to take part, or close this page.");
        double? Number(string name) =>
            double.TryParse(form.GetValueOrDefault(name), NumberStyles.Float, CultureInfo.InvariantCulture, out var n)
            && double.IsFinite(n) ? n : null;
        if (form.GetValueOrDefault("years", "").Length > 0 && Number("years") is null or < 0 or > 80)
            throw new InvalidStudyException("Years of experience: give a number, or nothing.");
        return new()
        {
            Reader = form.GetValueOrDefault("reader", "").Trim(), Consent = form.GetValueOrDefault("consent", "")
                .ReplaceLineEndings("\n"), Specialty = form.GetValueOrDefault("specialty", "").Trim(),
            Years = Number("years"),
            Display = new()
            {
                Width = (int)(Number("width") ?? 0), Height = (int)(Number("height") ?? 0), PixelRatio = Number("ratio")
                    ?? 1, Zoom = Number("zoom") ?? 1,
                RoomLight = form.GetValueOrDefault("light", ""), SeesNearBlack = form.ContainsKey("black"),
                SeesNearWhite = form.ContainsKey("white"),
            },
        };
    }
}
