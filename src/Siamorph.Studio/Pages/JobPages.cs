using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Siamorph.Studio.Jobs;

namespace Siamorph.Studio.Pages;

/// <summary>The addresses of the queue and of single jobs.</summary>
internal static class JobPages
{
    public static void Map(IEndpointRouteBuilder routes, StudioServices desk)
    {
        routes.MapGet("/jobs", (HttpContext context) => Html.Page<JobsPage>(context, All(desk)));
        routes.MapGet("/jobs/list", (HttpContext context) => Html.Page<JobList>(context, All(desk)));
        routes.MapGet("/jobs/running", (HttpContext context) => Html.Page<JobList>(context, Running(desk)));
        routes.MapGet("/job/{id}", (HttpContext context, string id) =>
            Html.Page<JobPage>(context, JobModel.Of(desk.Jobs.Find(id), console: true)));
        routes.MapGet("/job/{id}/part",
            (HttpContext context, string id) => Html.Page<JobPart>(context, JobModel.Of(desk.Jobs.Find(id), console: true)));
        routes.MapPost("/job/{id}/{action}", (string id, string action) => Act(desk.Jobs, desk.Jobs.Find(id), action));
    }

    public static IReadOnlyList<JobModel> All(StudioServices desk) => [.. desk.Jobs.All.Select(j => JobModel.Of(j))];

    public static IReadOnlyList<JobModel> Running(StudioServices desk) => [.. All(desk).Where(j => !j.Ended)];

    /// <summary>The newest job that writes into a folder.</summary>
    public static JobModel? For(StudioServices desk, string at) =>
        desk.Jobs.All.Where(j => j.Job.Target == at).OrderByDescending(j => j.Job.Created).FirstOrDefault() is { } job
        ? JobModel.Of(job) : null;

    private static IResult Act(JobQueue queue, JobFolder job, string action)
    {
        switch (action)
        {
            case "up": queue.MoveUp(job); break;
            case "stop": queue.Stop(job); break;
            case "kill": JobQueue.Kill(job); break;
            case "resume": queue.Resume(job); break;
            case "remove": queue.Remove(job); break;
            default: throw StudioException.Missing("The button");
        }
        return Results.Redirect(action is "remove" or "up" ? "/jobs" : $"/job/{job.Id}");
    }
}
