using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Siamorph.Data.Checks;
using Siamorph.Studio.Pages;

namespace Siamorph.Studio.Data;

/// <summary>What a page about a dataset shows before its script has asked for the pairs.</summary>
internal sealed record DataModel(string At, string Summary);

/// <summary>A finding of the check, with the names of the pairs it is about.</summary>
internal sealed record FindingCard(string Code, bool IsError, string Subject, string Message, string? Key, string? Other);

/// <summary>The addresses of the grid.</summary>
internal static class DataPages
{
    private const int MostOutlines = 200;

    public static void Map(IEndpointRouteBuilder routes, StudioServices desk, DatasetIndex shelf)
    {
        var cards = new PairCards(shelf, desk);
        routes.MapGet("/data", (HttpContext context, string at) =>
            Html.Page<DataPage>(context, new DataModel(at, shelf.Read(at).Summary())));
        routes.MapGet("/data/cards", (string at) => Results.Json(cards.All(at)));
        routes.MapGet("/data/outlines", (string at, int from, int count) =>
            Results.Json(cards.Outlines(at, Math.Max(0, from), Math.Clamp(count, 1, MostOutlines))));
        routes.MapPost("/data/check", (string at, HttpContext context) =>
            Results.Json(Check(desk, shelf, at, new Watch(context.RequestAborted))));
    }

    private static IReadOnlyList<FindingCard> Check(StudioServices desk, DatasetIndex shelf, string at, IMonitor monitor)
    {
        var dataset = shelf.Read(at);
        var keys = dataset.Pairs.ToDictionary(p => p.Id, p => shelf.KeyOf(dataset, p));
        return [.. DatasetValidator.Check(desk.Root.Resolve(at), monitor).Findings.Select(f => new FindingCard(
            f.Code, f.Severity == FindingSeverity.Error, f.Subject, f.Message, keys.GetValueOrDefault(f.Subject),
            f.Other is { } other ? keys.GetValueOrDefault(other) : null))];
    }

    // A check that nobody waits for any more ends.
    private sealed class Watch(CancellationToken stop) : IMonitor
    {
        public CancellationToken Cancellation => stop;

        public IMonitoredStage Begin(string title, long total) => NullMonitor.Instance.Begin(title, total);

        public void Note(string line)
        {
        }
    }
}
