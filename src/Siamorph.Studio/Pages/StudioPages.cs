using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Siamorph.Reports;
using Siamorph.Studio.Data;
using Siamorph.Studio.Draw;
using Siamorph.Studio.Edit;
using Siamorph.Studio.Folders;
using Siamorph.Studio.Reading;

namespace Siamorph.Studio.Pages;

/// <summary>The addresses of pages about folders; every room of the Studio maps its own.</summary>
internal static class StudioPages
{
    public static void Map(IEndpointRouteBuilder routes, StudioServices desk)
    {
        routes.MapGet("/", (HttpContext context) => Html.Page<HomePage>(context, Home(desk)));
        routes.MapGet("/open", (string at) => Results.Redirect(Place(desk.Root, at)));
        routes.MapGet("/run", (HttpContext context, string at) => Html.Page<RunPage>(context, Run(desk, at)));
        routes.MapGet("/run/part", (HttpContext context, string at) =>
        {
            var model = Run(desk, at);
            return Html.Part<RunPart>(context, model, $"{model.Run.Version} {model.Job}");
        });
        routes.MapGet("/experiment", (HttpContext context, string at) =>
            Html.Page<ExperimentPage>(context, Experiment(desk, at)));
        routes.MapGet("/experiment/part",
            (HttpContext context, string at) => Html.Page<ExperimentPart>(context, Experiment(desk, at)));
        routes.MapGet("/report", (HttpContext context, string at) => Report(context, desk.Root, at));
        JobPages.Map(routes, desk);
        FormPages.Map(routes, desk);
        var shelf = new DatasetIndex(desk.Root);
        DataPages.Map(routes, desk, shelf);
        EditPages.Map(routes, desk, shelf);
        DrawPages.Map(routes, desk, shelf, desk.Drawing);
        Reading.StudyPages.Map(routes, desk);
        ReadingPages.Map(routes, new ReadingService(desk.Root, desk.Links));
    }

    /// <summary>The page of a folder.</summary>
    private static string Place(RootFolder root, string at)
    {
        var page = FolderIndex.KindOf(root.Resolve(at)) switch
        {
            FolderKind.Run => "run",
            FolderKind.Experiment => "experiment",
            FolderKind.Study => "study",
            FolderKind.Dataset => "data",
            _ => throw new StudioException(404, "There is nothing to show in this folder yet."),
        };
        return $"/{page}?at={Uri.EscapeDataString(at)}";
    }

    private static HomeModel Home(StudioServices desk) => new(
        desk.Root.Path, FolderIndex.Of(desk.Root), JobPages.Running(desk), new DriveInfo(desk.Root.Path).AvailableFreeSpace);

    private static RunModel Run(StudioServices desk, string at)
    {
        var run = RunView.Read(Of(desk.Root, at, FolderKind.Run), desk.Logs);
        return new(at, run, [.. run.Previews.Select(p => (p.Step, desk.Pictures.Address(p.File)))], JobPages.For(desk, at));
    }

    private static ExperimentModel Experiment(StudioServices desk, string at)
    {
        var experiment = ExperimentView.Read(Of(desk.Root, at, FolderKind.Experiment));
        return new(at, experiment, experiment.Report is null ? null
            : $"/report?at={Uri.EscapeDataString(at)}", JobPages.For(desk, at))
        {
            Studies = [.. LinkedStudies.FoldersOf(experiment.Folder)
                .Where(s => desk.Root.Inside(s) && FolderIndex.KindOf(s) == FolderKind.Study).Select(desk.Root.RelativeOf)],
        };
    }

    private static string Of(RootFolder root, string at, FolderKind kind)
    {
        var folder = root.Resolve(at);
        return FolderIndex.KindOf(folder) == kind ? folder
            : throw new StudioException(404, $"{at}: this is no {kind.ToString().ToLowerInvariant()}.");
    }

    // A report may be anyone's file: it gets a page without rights, in which nothing runs and nothing is fetched.
    private static IResult Report(HttpContext context, RootFolder root, string at)
    {
        var bytes = root.ReadBytes(System.IO.Path.Combine(root.Resolve(at), "report.html"));
        context.Response.Headers.ContentSecurityPolicy =
            "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'";
        return Results.Bytes(bytes, "text/html; charset=utf-8");
    }
}
