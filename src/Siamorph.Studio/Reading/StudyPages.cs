using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Siamorph.Reports;
using Siamorph.Studio.Folders;
using Siamorph.Studio.Pages;
using Siamorph.Studio.Security;
using Siamorph.Study;

namespace Siamorph.Studio.Reading;

/// <summary>A study as its owner sees it; nothing of what was answered.</summary>
/// <param name="At">Its folder below the root.</param>
/// <param name="Check">How far readers are, and what is wrong.</param>
/// <param name="Links">Links that were made.</param>
/// <param name="HasReport">The report is written.</param>
internal sealed record StudyModel(string At, StudyCheck Check, IReadOnlyList<ReaderLink> Links, bool HasReport)
{
    /// <summary>A link that was just made: it is shown this once.</summary>
    public string? NewLink { get; init; }

    public string? Fault { get; init; }

    public string State => Check.Unsealed ? "Unsealed: no more answers are taken."
        : $"Sealed: {Finished} of {Check.PlannedReaders} planned readers have finished.";

    private int Finished =>
        Check.Readers.Where(r => r.Answered == r.Total && r.Total > 0 && !r.Withdrawn).Select(r => r.Reader).Distinct().Count();
}

/// <summary>The addresses of a study's owner.</summary>
internal static class StudyPages
{
    private const string UnsealWord = "unseal";

    public static void Map(IEndpointRouteBuilder routes, StudioServices desk)
    {
        routes.MapGet("/study", (HttpContext context, string at) => Html.Page<StudyPage>(context, Model(desk, at)));
        routes.MapPost("/study/link", async (HttpContext context, string at) =>
        {
            Folder(desk, at);
            var (link, token) = desk.Links.Make(at, (await context.Request.ReadFormAsync())["note"].ToString().Trim());
            return Html.Page<StudyPage>(context, Model(desk, at) with
            {
                NewLink = $"http://{context.Request.Host}/door/{link.Id}?token={token}",
            });
        });
        routes.MapPost("/study/revoke", (string at, string link) =>
        {
            desk.Links.Remove(link);
            desk.Sessions.Forget(link);
            return Results.Redirect(Address(at));
        });
        routes.MapPost("/study/unseal", async (HttpContext context, string at) =>
        {
            if ((await context.Request.ReadFormAsync())["word"].ToString().Trim() != UnsealWord)
                return Html.Page<StudyPage>(context, Model(desk, at) with
                {
                    Fault = $"Type the word {UnsealWord} to end the collection of answers.",
                }, 400);
            try
            {
                Unsealing.Unseal(Folder(desk, at));
                StudyReport.Write(Folder(desk, at));
                return Results.Redirect(Address(at));
            }
            catch (SiamorphException e)
            {
                return Html.Page<StudyPage>(context, Model(desk, at) with { Fault = e.Message }, 422);
            }
        });
    }

    private static string Address(string at) => $"/study?at={Uri.EscapeDataString(at)}";

    private static string Folder(StudioServices desk, string at)
    {
        var folder = desk.Root.Resolve(at);
        return FolderIndex.KindOf(folder) == FolderKind.Study ? folder
            : throw new StudioException(404, $"{at}: this is no reader study.");
    }

    private static StudyModel Model(StudioServices desk, string at)
    {
        var folder = Folder(desk, at);
        return new(at, StudyChecker.Check(folder), [.. desk.Links.All.Where(l => l.Study == at)],
            File.Exists(Path.Combine(folder, "report.html")));
    }
}
