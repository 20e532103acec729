using Siamorph.Experiment.Results;

namespace Siamorph.Reports.Sections;

/// <summary>Whether the answer holds for other segmentation networks.</summary>
internal static class NetworkSection
{
    /// <summary>The result as each network has it, the first one first.</summary>
    public static IEnumerable<(string Name, ExperimentResult Result)> Views(ExperimentResult result)
        => result.OtherNetworks.Select(n => (n.Name, result with
        {
            Cells = n.Cells, Comparisons = n.Comparisons, Controls = n.Controls, Robustness = n.Robustness, OtherNetworks = [],
        }))
            .Prepend((result.Options.Segmentation.Network.Name, result));

    public static Section Networks(ExperimentResult result) => new("Other networks",
    [
        new Paragraph($"Every arm was repeated with {ExperimentSentences.Joined([.. result.OtherNetworks.Select(n => n.Name)])}: "
            + $"the same pairs, seeds, steps and "
            + $"images; the rest of the training is each network's recipe. The figures above are those of "
            + $"{result.Options.Segmentation.Network.Name}."),
        .. Views(result).Skip(1).SelectMany(v => One(v.Name, v.Result)),
    ]);

    public static string Word(Verdict verdict) =>
        verdict switch { Verdict.Higher => "higher", Verdict.Lower => "lower", _ => "no evidence" };

    private static IEnumerable<Block> One(string name, ExperimentResult result)
    {
        foreach (var control in result.Controls) yield return EvidenceSection.Control(result, control);
        var figure = ScoreSections.Differences(result);
        yield return figure with { Title = $"{name}: {figure.Title}" };
        yield return EvidenceSection.Differences(result, result.Comparisons);
        if (RobustnessSection.Together(result) is { } robust) yield return robust with { Title = $"{name}: {robust.Title}" };
    }
}
