using Siamorph.Experiment.Results;

namespace Siamorph.Reports.Sections;

/// <summary>What readers said of the experiment's images: in short, with links to the studies' own reports.</summary>
internal static class ReaderSection
{
    /// <summary>Null where no study was named.</summary>
    public static Section? Readers(ExperimentResult result, string folder)
    {
        var studies = LinkedStudies.Of(folder);
        if (studies.Count == 0) return null;
        return new Section("What readers said",
            [new Paragraph(StudySentences.NotUsefulness), .. studies.SelectMany(s => Blocks(result, s))]);
    }

    private static IEnumerable<Block> Blocks(ExperimentResult result, LinkedStudy study)
    {
        if (study.Result is not { } found)
        {
            yield return new Paragraph($"The reader study {study.Name} can no longer be read.", Tone.Bad);
            yield break;
        }
        var primary = found.Realism.Primary;
        yield return new Paragraph(StudySentences.Verdict(found));
        yield return new Table(["readers", "images", "right answers (guessing: 50 %)", "95 % interval",
            "image quality, synthetic", "real"],
        [[
            Format.Integer(primary.Readers), Format.Integer(primary.Images), StudySentences.Percent(primary.Accuracy.Value),
            StudySentences.Interval(primary.Accuracy),
            found.Quality is { } quality ? StudySentences.Rating(quality.Synthetic.Value) : "–",
            found.Quality is { } same ? StudySentences.Rating(same.Real.Value) : "–",
        ]])
        {
            Note = Origin(result, found.ModelHashes),
        };
        yield return new Link("The report of this reader study", study.Name + "/report.html");
    }

    private static string Origin(ExperimentResult result, IReadOnlyList<string> drawnBy)
    {
        var here = result.Generators.Select(g => g.Outcome.ModelHash).ToHashSet();
        return drawnBy.Count == 0 ? "The study does not say which generator its images come from."
            : drawnBy.All(here.Contains) ? "Its synthetic images come from a generator of this experiment."
            : "Not all of its synthetic images come from generators of this experiment, so the readers' answers may not apply to "
            + "these pairs.";
    }
}
