using Siamorph.Evaluation.Statistics;

namespace Siamorph.Experiment.Results;

/// <summary>Turns the scores of all cells into comparisons: a function of scores and options alone.</summary>
internal static class Analysis
{
    private const int FewestInPart = 5, MostParts = 12;

    /// <summary>Each arm against the first, for each number of real pairs.</summary>
    public static IReadOnlyList<Comparison> Compare(ExperimentOptions options, IReadOnlyList<CellResult> cells, DataCard data)
        => Compare(options, [(null, cells)], data)[0];

    /// <summary>
    /// The same for each of several segmentation networks, all corrected together; the first (null) has the declared comparison.
    /// </summary>
    public static IReadOnlyList<IReadOnlyList<Comparison>> Compare(
        ExperimentOptions options, IReadOnlyList<(string? Network, IReadOnlyList<CellResult> Cells)> networks, DataCard data)
    {
        var found = networks.Select(n => Compare(options, n.Network, n.Cells, data)).ToList();
        var secondary = found.SelectMany(f => f).Where(c => !c.Statistics!.Primary).ToList();
        var adjusted = HolmCorrection.Adjust([.. secondary.Select(c => c.Statistics!.WilcoxonP)]);
        var corrected = new Dictionary<Comparison, double>(ReferenceEqualityComparer.Instance);
        for (var i = 0; i < secondary.Count; i++) corrected[secondary[i]] = adjusted[i];
        return [.. found.Select(f => f.ConvertAll(c => corrected.TryGetValue(c, out var p) ? c with
        {
            Statistics = c.Statistics! with { AdjustedP = p },
        } : c))];
    }

    private static List<Comparison> Compare(
        ExperimentOptions options, string? network, IReadOnlyList<CellResult> cells, DataCard data)
    {
        var counts = cells.Select(c => c.RealCount).Distinct().ToList();
        if (counts.Count == 0 || options.Arms.Count < 2) return [];
        var primary = network is null && options.Primary is not { Set.Length: > 0 } ? options.ResolvedPrimary(counts) : null;
        var facts = TestFacts(cells[0], data);
        return [.. counts.SelectMany(n => options.Arms.Skip(1)
            .Select(arm => One(options, cells, facts, n, arm, primary == (arm, options.Arms[0], n), network)))];
    }

    /// <summary>The wrong-mask control of each number of real pairs.</summary>
    public static IReadOnlyList<MaskControl> Controls(
        ExperimentOptions options, IReadOnlyList<CellResult> cells, DataCard data, string? network = null)
    {
        var wrong = options.Arms.Select(options.Arm).FirstOrDefault(a => a.WrongMasks);
        if (wrong is null || cells.Count == 0) return [];
        var right = options.Arms.Select(options.Arm).FirstOrDefault(a => a == wrong with
        {
            Name = a.Name, Title = a.Title, Description = a.Description, WrongMasks = false,
        });
        var against = right?.Name ?? options.Arms[0];
        if (against == wrong.Name) return [];
        var facts = TestFacts(cells[0], data);
        return [.. cells.Select(c => c.RealCount).Distinct().Select(n =>
        {
            var differences = Differences(options, cells, n, wrong.Name, against);
            var e = PairedComparison.Estimate(differences, [.. facts.Select(f => f.Group)], options.BootstrapDraws,
                DrawSeed(options, network + wrong.Name + " control", n));
            return new MaskControl(n, wrong.Name, against, e.Difference, e.Low, e.High);
        })];
    }

    private static Comparison One(
        ExperimentOptions options, IReadOnlyList<CellResult> cells, List<PairFacts> facts, int count, string arm, bool primary,
        string? network)
    {
        var baseline = options.Arms[0];
        var differences = Differences(options, cells, count, arm, baseline);
        var groups = facts.Select(f => f.Group).ToList();
        var estimate = PairedComparison.Estimate(differences, groups, options.BootstrapDraws,
            DrawSeed(options, network + arm, count));
        var ofImages = Enumerable.Range(0, facts.Count).Select(i => differences.Average(row => row[i])).ToArray();
        return new Comparison
        {
            RealCount = count,
            Baseline = baseline,
            Arm = arm,
            BaselineDice = Cells(options, cells, count, baseline).Average(c => c.Outcome.Dice),
            ArmDice = Cells(options, cells, count, arm).Average(c => c.Outcome.Dice),
            Difference = estimate.Difference,
            Low = estimate.Low,
            High = estimate.High,
            PerSeed = [.. differences.Select(d => d.Average())],
            Images = facts.Count,
            Units = estimate.Units,
            Statistics = new ComparisonStatistics
            {
                Primary = primary,
                StandardError = estimate.StandardError,
                MinimumDetectable = estimate.MinimumDetectable,
                WilcoxonP = SignedRankTest.Run(OfUnits(ofImages, groups)).P,
                Effect = Finite(PairedEffect.Standardised(ofImages)),
                Superiority = PairedEffect.Superiority([.. differences.SelectMany(d => d)]),
                Missed = RatePerHundred(options, cells, count, arm, i => i.Missed),
                FalseAlarms = RatePerHundred(options, cells, count, arm, i => i.FalseAlarms),
                Subgroups = [.. Parts(facts).Select(p =>
                    Part(options, differences, facts, p, DrawSeed(options, network + arm + p.Kind + p.Name, count)))],
            },
        };
    }

    private static Seed DrawSeed(ExperimentOptions options, string what, int count) =>
        options.Seeds[0].Derive("bootstrap").Derive(what).Derive(count);

    private static List<CellResult> Cells(ExperimentOptions options, IReadOnlyList<CellResult> cells, int count, string arm)
        => [.. options.Seeds.Select(seed => cells.Single(c => c.Arm == arm && c.RealCount == count && c.Seed == seed))];

    private static List<double[]> Differences(
        ExperimentOptions options, IReadOnlyList<CellResult> cells, int count, string arm, string baseline)
        => [.. Cells(options, cells, count, arm).Zip(Cells(options, cells, count, baseline),
            (a, b) => a.Outcome.Images.Zip(b.Outcome.Images, (x, y) => x.Dice - y.Dice).ToArray())];

    internal static List<PairFacts> TestFacts(CellResult cell, DataCard data)
    {
        var facts = data.Pairs.Where(p => p.Split == "test").GroupBy(p => p.Id).ToDictionary(g => g.Key, g => g.First());
        return [.. cell.Outcome.Images.Select(i => facts.GetValueOrDefault(i.Id) ?? new PairFacts(i.Id, "test", null, 0))];
    }

    private static IEnumerable<double> OfUnits(double[] ofImages, List<string?> groups)
        => ofImages.Select((d, i) => (Unit: groups[i] is { } g ? $"g{g}" : $"#{i}", d)).GroupBy(x => x.Unit, x => x.d)
        .Select(g => g.Average());

    private static RatePerHundred? RatePerHundred(
        ExperimentOptions options, IReadOnlyList<CellResult> cells, int count, string arm, Func<ImageScore, int?> number)
    {
        double? Of(string name)
        {
            var images = Cells(options, cells, count, name).SelectMany(c => c.Outcome.Images).Select(number).ToList();
            return images.Contains(null) ? null : 100 * images.Average()!.Value;
        }
        return Of(options.Arms[0]) is { } b && Of(arm) is { } a ? new(b, a) : null;
    }

    private sealed record Division(string Kind, string Name, Func<PairFacts, bool> Holds);

    // Where many lesions are of one size, a third of them may hold nothing: such parts are left out.
    private static IEnumerable<Division> Parts(List<PairFacts> facts) =>
        Divisions(facts).Where(d => facts.Count(d.Holds) >= FewestInPart);

    private static IEnumerable<Division> Divisions(List<PairFacts> facts)
    {
        var shares = facts.Where(f => f.MaskShare > 0).Select(f => f.MaskShare).Order().ToArray();
        if (shares.Length >= 3 * FewestInPart)
        {
            var (small, large) = (shares[shares.Length / 3], shares[shares.Length * 2 / 3]);
            yield return new("lesion size", FormattableString.Invariant($"small (below {100 * small:0.#} % of the image)"),
                f => f.MaskShare > 0 && f.MaskShare < small);
            yield return new("lesion size", FormattableString.Invariant($"medium ({100 * small:0.#} to {100 * large:0.#} %)"),
                f => f.MaskShare >= small && f.MaskShare < large);
            yield return new("lesion size", FormattableString.Invariant($"large (from {100 * large:0.#} %)"),
                f => f.MaskShare >= large);
        }
        if (facts.Count(f => f.MaskShare == 0) >= FewestInPart)
            yield return new("lesion size", "no lesion", f => f.MaskShare == 0);
        foreach (var part in Named("centre", facts, f => f.Centre).Concat(Named("group", facts, f => f.Group))) yield return part;
    }

    private static IEnumerable<Division> Named(string kind, List<PairFacts> facts, Func<PairFacts, string?> name)
    {
        var names = facts.Select(name).OfType<string>().GroupBy(n => n).Where(g => g.Count() >= FewestInPart).Select(g => g.Key)
            .Order(StringComparer.Ordinal).ToList();
        return names.Count is < 2 or > MostParts ? [] : names.Select(n => new Division(kind, n, f => name(f) == n));
    }

    private static SubgroupResult Part(
        ExperimentOptions options, List<double[]> differences, List<PairFacts> facts, Division part, Seed seed)
    {
        var members = Enumerable.Range(0, facts.Count).Where(i => part.Holds(facts[i])).ToArray();
        // Within one group its images are the units.
        var groups = members.Select(i => part.Kind == "group" ? null : facts[i].Group).ToArray();
        var e = PairedComparison.Estimate([.. differences.Select(d => members.Select(i => d[i]).ToArray())], groups,
            Math.Min(2000, options.BootstrapDraws), seed);
        return new(part.Kind, part.Name, members.Length, e.Difference, e.Low, e.High);
    }

    private static double Finite(double value) => double.IsFinite(value) ? value : Math.Sign(value) * 99;
}
