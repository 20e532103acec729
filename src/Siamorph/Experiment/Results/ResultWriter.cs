using Siamorph.Experiment.Scheduling;
using Siamorph.Experiment.Stages;
using Siamorph.Training;

namespace Siamorph.Experiment.Results;

/// <summary>Puts the outcomes of all stages together and writes results.json and times.json.</summary>
internal static class ResultWriter
{
    public static ExperimentResult Write(
        ExperimentPlan plan, ExperimentData data, StageStore store, string folder, IStageRunner runner)
    {
        var records = plan.Stages.Select(s => (s.Key, Record: store.Find(s))).Where(s => s.Record is not null)
            .ToDictionary(s => s.Key, s => s.Record!);
        var cells = Cells(plan.Cells, records);
        var others = plan.Options.OtherNetworks.Select(n => (Name: n, Cells: Cells(plan.CellsOf(n), records))).ToList();
        var comparisons = Analysis.Compare(plan.Options, [(null, cells), .. others], data.Card);
        var declared = DeclaredSet.Of(plan, cells, records, data.Card);
        List<ArmSummary> arms = [.. plan.Options.Arms.Select(plan.Options.Arm)
            .Select(a => new ArmSummary(a.Name, a.Title, a.Description))];
        var result = new ExperimentResult
        {
            Version = ProductVersion.Version,
            Options = plan.Options,
            Data = data.Card,
            Arms = arms,
            Undertrained = Undertraining.Alarm(arms, cells),
            Cells = cells,
            Comparisons = comparisons[0],
            ExternalPrimary = declared?.Compare(plan.Options),
            Controls = Analysis.Controls(plan.Options, cells, data.Card),
            OtherNetworks =
                [.. others.Select((n, i) => new NetworkResult(n.Name, n.Cells, comparisons[i + 1],
                Analysis.Controls(plan.Options, n.Cells, data.Card, n.Name))
            {
                Robustness = RobustnessAnalysis.Compare(plan, n.Name, n.Cells, records, data.Card),
            })],
            Robustness = RobustnessAnalysis.Compare(plan, null, cells, records, data.Card),
            External = ExternalAnalysis.Compare(plan, cells, records),
            Ladder = declared?.Ladder(plan.Options) ?? ResourceAnalysis.Of(plan.Options, cells, data.Card),
            Strengths = StrengthAnalysis.Of(plan.Options, cells),
            Generators = [.. Generators(plan, records)],
            Gates = [.. Gates(plan, records)],
            Sheets = SheetWriter.Write(plan, cells, store, folder, runner),
        };
        AtomicFile.WriteText(Path.Combine(folder, ExperimentRunner.TimesFile), OptionsFile.ToJson(Times(plan, records)) + "\n");
        AtomicFile.WriteText(Path.Combine(folder, ExperimentRunner.ResultFile), OptionsFile.ToJson(result) + "\n");
        return result;
    }

    private static List<CellResult> Cells(IReadOnlyList<PlannedCell> cells, Dictionary<string, StageRecord> records) =>
        [.. cells.Select(c => new CellResult
    {
        Arm = c.Arm.Name,
        RealCount = c.RealCount,
        SyntheticCount = AddedCount(c.Stage, records),
        RealExposures = Exposures(c.Stage, AddedCount(c.Stage, records)),
        Seed = c.Seed,
        Stage = c.Stage.Folder,
        Outcome = records[c.Stage.Key].As<SegmentationOutcome>(),
    })];

    private static int AddedCount(SegmentationStage stage, Dictionary<string, StageRecord> records)
        => stage.Unlabelled.Count + (stage.Gate is { } gate ? records[gate.Key].As<GateOutcome>().Kept : stage.Added);

    // Images drawn from the real pairs, over their number.
    private static double Exposures(SegmentationStage stage, int count)
    {
        var (options, added) = (stage.Options, count > 0);
        if (!stage.Arm.UsesReal) return 0;
        var share = !added ? 1 : 1 - (options.SyntheticFraction ?? (double)count / (count + stage.Real.Count));
        if (added && options.MaxSyntheticPerReal is { } most) share = Math.Max(share, 1 / (1 + most));
        var steps = options.Steps * (added ? 1 - options.SyntheticWarmup : 1);
        return Math.Round(steps * options.BatchSize * share / stage.Real.Count, 1);
    }

    private static IEnumerable<GeneratorResult> Generators(ExperimentPlan plan, Dictionary<string, StageRecord> records)
        => plan.Stages.OfType<GeneratorStage>().Select(g =>
        {
            var users = plan.Cells.Where(c => c.Stage.Synthesis?.Generator?.Key == g.Key).ToList();
            return new GeneratorResult
            {
                Arms = [.. users.Select(c => c.Arm.Name).Distinct()],
                RealCount = g.Pairs.Count,
                Seeds = [.. users.Select(c => c.Seed).Distinct()],
                Stage = g.Folder,
                Outcome = records[g.Key].As<GeneratorOutcome>(),
            };
        });

    private static IEnumerable<GateResult> Gates(ExperimentPlan plan, Dictionary<string, StageRecord> records)
        => plan.Stages.OfType<GateStage>().Select(g =>
        {
            var users = plan.Cells.Where(c => c.Stage.Gate?.Key == g.Key).ToList();
            return new GateResult([.. users.Select(c => c.Arm.Name).Distinct()], g.Real.Count,
                [.. users.Select(c => c.Seed).Distinct()], g.Folder, g.Options.Selection,
                records[g.Key].As<GateOutcome>());
        });

    private static ExperimentTimes Times(ExperimentPlan plan, Dictionary<string, StageRecord> records) => new()
    {
        Stages = [.. plan.Stages.Where(s => records.ContainsKey(s.Key)).Select(s => (Stage: s, Record: records[s.Key]))
            .Select(x =>
            new StageTime(x.Stage.Folder, x.Stage.Kind.Name, x.Record.Seconds, x.Record.Finished, x.Record.Resumed,
            x.Record.Code))],
        Environment = MachineFacts.Read(),
    };
}
