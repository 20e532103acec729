using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Siamorph.Studio.Folders;
using Siamorph.Studio.Jobs;

namespace Siamorph.Studio.Pages;

/// <summary>The forms of verbs: filled, checked by the verb itself, and put into the queue.</summary>
internal static class FormPages
{
    public static void Map(IEndpointRouteBuilder routes, StudioServices desk)
    {
        routes.MapGet("/new", (HttpContext context) => Html.Page<NewPage>(context, desk.Options.Forms));
        routes.MapGet("/new/{key}", (HttpContext context, string key) =>
            Html.Page<FormPage>(context, Model(desk, Find(desk, key), Given(context))));
        routes.MapPost("/new/{key}", async (HttpContext context, string key) =>
        {
            var (form, values) = (Find(desk, key), await Sent(context));
            try
            {
                return Results.Redirect($"/job/{Queue(desk, form, values).Id}");
            }
            catch (StudioException fault)
            {
                return Html.Page<FormPage>(context, Model(desk, form, values) with { Fault = fault.Message }, fault.Status);
            }
        });
        routes.MapPost("/new/{key}/check", async (HttpContext context, string key) =>
        {
            var (form, values) = (Find(desk, key), await Sent(context));
            try
            {
                var result = await DryRun.Of(desk.Options.Program, JobCommandLine.Form(form, values, desk.Root), desk.Root.Path,
                    context.RequestAborted);
                return Html.Page<FormPage>(context, Model(desk, form, values) with { Checked = result });
            }
            catch (StudioException fault)
            {
                return Html.Page<FormPage>(context, Model(desk, form, values) with { Fault = fault.Message }, fault.Status);
            }
        });
    }

    private static VerbForm Find(StudioServices desk, string key) => desk.Options.Forms.FirstOrDefault(f => f.Key == key)
        ?? throw StudioException.Missing("The form");

    private static FormModel Model(StudioServices desk, VerbForm form, IReadOnlyDictionary<string, string> values) =>
        new(form, values, [.. FolderIndex.Of(desk.Root).Select(f => f.Path)], null, null);

    // A link may fill in fields by their names without dashes.
    private static Dictionary<string, string> Given(HttpContext context) =>
        context.Request.Query.SelectMany(q =>
            new[] { (q.Key, Value: q.Value.ToString()), (Key: $"--{q.Key}", Value: q.Value.ToString()) })
            .ToDictionary(p => p.Key, p => p.Value);

    private static async Task<Dictionary<string, string>> Sent(HttpContext context) =>
        (await context.Request.ReadFormAsync()).Where(f => f.Key != "token").ToDictionary(f => f.Key, f => f.Value.ToString());

    private static JobFolder Queue(StudioServices desk, VerbForm form, IReadOnlyDictionary<string, string> values)
    {
        var target = JobCommandLine.Target(form, values);
        var source = form.Fields.Where(f => f is { IsArgument: true, Kind: FieldKind.Existing })
            .Select(f => values.GetValueOrDefault(f.Name, "")).FirstOrDefault(v => v.Length > 0);
        return desk.Jobs.Add(new($"{form.Verb} {source}{(target is null ? "" : $" → {target}")}",
            JobCommandLine.Form(form, values, desk.Root),
            JobCommandLine.Resume(form, values, desk.Root), desk.Root.Path, target, DateTimeOffset.UtcNow));
    }
}
