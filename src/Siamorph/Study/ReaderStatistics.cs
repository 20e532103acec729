using Siamorph.Evaluation.Statistics;

namespace Siamorph.Study;

/// <summary>A reader's own numbers, and whether the reader counts.</summary>
internal static class ReaderStatistics
{
    public static ReaderResult Of(StudyEvidence evidence, ReaderEvidence reader)
    {
        var (items, options, profile) = (evidence.Items(StudyBlock.Realism), evidence.Study.File.Options, reader.Profile);
        var result = new ReaderResult(profile.Reader, profile.Specialty, profile.Years, profile.Display)
        {
            Sessions = reader.Sessions,
        };
        if (reader.Withdrawn) return result with { LeftOut = "withdrew" };
        if (reader.Sessions == 0) return result with { LeftOut = "never began" };
        var answered = items.Count(i => reader.Answer(StudyBlock.Realism, i) is not null);
        result = WithQuality(result, evidence, reader);
        if (answered < items.Count)
            return result with { LeftOut = $"answered {answered} of {items.Count} questions about realism" };
        var shown = evidence.CatchItems.Select(i => reader.Answer(StudyBlock.Realism, i)).OfType<SessionLine>().ToList();
        var misses = shown.Count(l => l.Realism <= RealismStatistics.LastReal);
        return WithRealism(result, evidence, reader) with
        {
            CatchMisses = shown.Count > 0 ? misses : null,
            LeftOut = misses > options.CatchMisses ? $"took {misses} of {shown.Count} scrambled images for real" : null,
        };
    }

    private static ReaderResult WithQuality(ReaderResult result, StudyEvidence evidence, ReaderEvidence reader)
    {
        var items = evidence.Items(StudyBlock.Quality);
        if (items.Count == 0 || !reader.Finished(StudyBlock.Quality, items)) return result;
        double Mean(bool synthetic) => items.Where(i => evidence.IsSynthetic(i) == synthetic)
            .Average(i => reader.Answer(StudyBlock.Quality, i)!.Quality!.Value);
        return result with { QualityReal = Mean(false), QualitySynthetic = Mean(true) };
    }

    private static ReaderResult WithRealism(ReaderResult result, StudyEvidence evidence, ReaderEvidence reader)
    {
        var lines = evidence.Items(StudyBlock.Realism)
            .Select(i => (Synthetic: evidence.IsSynthetic(i), Line: reader.Answer(StudyBlock.Realism, i)!)).ToList();
        int[] real = [.. lines.Where(l => !l.Synthetic).Select(l => l.Line.Realism!.Value)];
        int[] synthetic = [.. lines.Where(l => l.Synthetic).Select(l => l.Line.Realism!.Value)];
        int hits = synthetic.Count(a => a > RealismStatistics.LastReal), alarms = real.Count(a => a > RealismStatistics.LastReal);
        double realRight = 1 - (double)alarms / real.Length, syntheticRight = (double)hits / synthetic.Length;
        var accuracy = (realRight + syntheticRight) / 2;
        var detection = SignalDetection.Of(hits, synthetic.Length, alarms, real.Length);
        var interval = WilsonInterval.Of(accuracy * lines.Count, lines.Count);
        return result with
        {
            Accuracy = new(accuracy, interval.Low, interval.High),
            RealRight = realRight,
            SyntheticRight = syntheticRight,
            Auc = RankAuc.Of([.. synthetic.Select(a => (double)a)], [.. real.Select(a => (double)a)]),
            Sensitivity = detection.Sensitivity,
            Criterion = detection.Criterion,
            RealAnswers = Counts(real),
            SyntheticAnswers = Counts(synthetic),
            MedianSeconds = Quantiles.Of(lines.Select(l => l.Line.Seconds), 0.5),
        };
    }

    private static int[] Counts(int[] answers) =>
        [.. Enumerable.Range(1, RealismStatistics.Answers).Select(v => answers.Count(a => a == v))];
}
