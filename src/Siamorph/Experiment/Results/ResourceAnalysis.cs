namespace Siamorph.Experiment.Results;

/// <summary>What a way of training needs besides annotated pairs, the cheapest first.</summary>
internal enum ResourceNeeds
{
    /// <summary>Nothing.</summary>
    PairsAlone,

    /// <summary>Images without masks.</summary>
    ImagesWithoutMasks,

    /// <summary>A generator.</summary>
    Generator,

    /// <summary>A generator and images without masks.</summary>
    GeneratorAndImages,
}

/// <summary>The best arm of those that need the same, and what it adds to the best of what is cheaper.</summary>
internal sealed record ResourceGain
{
    /// <summary>Real training pairs.</summary>
    public required int RealCount { get; init; }

    /// <summary>What it needs.</summary>
    public required ResourceNeeds Rung { get; init; }

    /// <summary>The arm with the highest mean validation Dice of this rung; the test split has no part in the choice.</summary>
    public required string Arm { get; init; }

    /// <summary>How many arms there were to choose from.</summary>
    public required int Candidates { get; init; }

    /// <summary>Its mean test Dice over seeds.</summary>
    public required double Dice { get; init; }

    /// <summary>The best arm of the cheaper rungs, chosen in the same way; null for the lowest rung.</summary>
    public string? Against { get; init; }

    /// <summary>Test Dice of this arm less that one's; null for the lowest rung.</summary>
    public ArmDifference? Gain { get; init; }
}

/// <summary>Asks of every further need (images without masks, a generator) what it adds to the best that does without.</summary>
internal static class ResourceAnalysis
{
    /// <summary>The steps for each number of real pairs; none where all arms need the same.</summary>
    /// <param name="options">Arms, seeds, draws.</param>
    /// <param name="cells">The scores.</param>
    /// <param name="data">Who the test images are of.</param>
    public static IReadOnlyList<ResourceGain> Of(ExperimentOptions options, IReadOnlyList<CellResult> cells, DataCard data)
    {
        var rungs = options.Arms.Select(options.Arm).Where(IsCandidate).GroupBy(a => RungOf(a, options))
            .OrderBy(g => g.Key).ToList();
        if (rungs.Count < 2) return [];
        List<string?> groups = [.. Analysis.TestFacts(cells[0], data).Select(f => f.Group)];
        var steps = new List<ResourceGain>();
        foreach (var count in cells.Select(c => c.RealCount).Distinct())
        {
            string? best = null;
            foreach (var rung in rungs)
            {
                var arm = rung.MaxBy(a => Of(count, a.Name).Average(c => c.Outcome.ValidationDice))!.Name;
                steps.Add(new()
                {
                    RealCount = count,
                    Rung = rung.Key,
                    Arm = arm,
                    Candidates = rung.Count(),
                    Dice = Of(count, arm).Average(c => c.Outcome.Dice),
                    Against = best,
                    Gain = best is null ? null : ArmDifference.Of(Rows(count, arm), Rows(count, best), groups,
                        options.BootstrapDraws,
                        options.Seeds[0].Derive("ladder").Derive(arm).Derive(count)),
                });
                if (best is null || Validation(count, arm) > Validation(count, best)) best = arm;
            }
        }
        return steps;

        List<CellResult> Of(int count, string arm) => [.. cells.Where(c => c.RealCount == count && c.Arm == arm)];

        double Validation(int count, string arm) => Of(count, arm).Average(c => c.Outcome.ValidationDice);

        List<double[]> Rows(int count, string arm) =>
            [.. options.Seeds.Select(s => Of(count, arm).Single(c => c.Seed == s).Outcome.Images.Select(i => i.Dice).ToArray())];
    }

    // Controls are no way of training that anyone would choose.
    private static bool IsCandidate(ArmDefinition arm) => arm is { UsesReal: true, WrongMasks: false, StepFactor: 1 }
        && arm.Added != AddedPairs.Copies;

    private static ResourceNeeds RungOf(ArmDefinition arm, ExperimentOptions options)
    {
        var generator = arm.TeachersOf(options).Any(a => a.UsesGenerator(options));
        var images = arm.NeedsUnlabelled || (generator && arm.GeneratorOptions(options.Generator).Unlabelled is not null);
        return (generator, images) switch
        {
            (true, true) => ResourceNeeds.GeneratorAndImages,
            (true, false) => ResourceNeeds.Generator,
            (false, true) => ResourceNeeds.ImagesWithoutMasks,
            _ => ResourceNeeds.PairsAlone,
        };
    }
}
