using Siamorph.Data;
using Siamorph.Experiment.Scheduling;

namespace Siamorph.Experiment.Results;

/// <summary>
/// The experiment as seen on the external test set that its end-point was declared for: the same cells with the scores of that
/// set in place of the test split's, so that all that compares cells can compare these.
/// </summary>
/// <param name="Cells">Every cell, its images those of the set; validation and training are as they were.</param>
/// <param name="Data">Who these images are of.</param>
internal sealed record DeclaredSet(IReadOnlyList<CellResult> Cells, DataCard Data)
{
    /// <summary>Null where the end-point is about the data's own test split.</summary>
    public static DeclaredSet? Of(
        ExperimentPlan plan, IReadOnlyList<CellResult> cells, IReadOnlyDictionary<string, StageRecord> records, DataCard data) =>
        plan.Options.Primary?.Set is not { Length: > 0 } set ? null
            : Of(set, [.. plan.Cells.Zip(cells, (p, c) => (c, records[p.External!.Key].As<ExternalOutcome>()))],
                [.. plan.External.Select(e => (e.Name, e.Pairs))], data);

    /// <param name="set">Name of one set, or <see cref="PrimaryEndPoint.AllSets"/>.</param>
    /// <param name="scored">Every cell with its scores on all sets.</param>
    /// <param name="sets">The pairs of each set.</param>
    /// <param name="data">The experiment's own data.</param>
    private static DeclaredSet Of(
        string set, IReadOnlyList<(CellResult Cell, ExternalOutcome Outcome)> scored,
        IReadOnlyList<(string Name, IReadOnlyList<ImageMaskPair> Pairs)> sets, DataCard data)
    {
        List<int> chosen = [.. Enumerable.Range(0, sets.Count).Where(i => set == PrimaryEndPoint.AllSets || sets[i].Name == set)];
        List<PairFacts> facts = [.. chosen.SelectMany(i => sets[i].Pairs.Select(p =>
            new PairFacts(Within(i, p.Id), "test", p.Group is null ? null : Within(i, p.Group), double.NaN)))];
        return new([.. scored.Select(s => Seen(s.Cell, [.. chosen.Select(i => s.Outcome.Sets[i])]))], data with
        {
            Pairs = facts,
        });

        // Ids and groups of one set mean nothing in another.
        string Within(int set, string name) => chosen.Count > 1 ? $"{sets[set].Name}: {name}" : name;

        CellResult Seen(CellResult cell, IReadOnlyList<ExternalScores> scores)
        {
            List<ImageScore> images = [.. scores.SelectMany(s => s.Dice.Zip(s.Iou)).Zip(facts,
                (s, f) => new ImageScore(f.Id, s.First, s.Second))];
            return cell with
            {
                Outcome = cell.Outcome with
                {
                    Dice = images.Average(i => i.Dice), Iou = images.Average(i => i.Iou), Images = images,
                },
            };
        }
    }

    /// <summary>The declared comparison on this set.</summary>
    public Comparison? Compare(ExperimentOptions options)
    {
        var declared = options.Primary!;
        var here = options with { Arms = [options.Arms[0], declared.Arm], Primary = declared with { Set = "" } };
        return Analysis.Compare(here, Cells, Data).FirstOrDefault(c => c.Statistics!.Primary) is { } found
            ? found with { Set = declared.Set } : null;
    }

    /// <summary>What each further need adds on this set.</summary>
    public IReadOnlyList<ResourceGain> Ladder(ExperimentOptions options) => ResourceAnalysis.Of(options, Cells, Data);
}
