using Siamorph.Evaluation.Statistics;

namespace Siamorph.Study;

/// <summary>What readers who finished the realism block said, all together.</summary>
internal static class RealismStatistics
{
    /// <summary>Answers up to here say "real".</summary>
    public const int LastReal = 3;

    public const int Answers = 6;

    public static RealismResult Of(StudyEvidence evidence, List<ReaderEvidence> readers, out CrossedEstimate auc)
    {
        var items = evidence.Items(StudyBlock.Realism);
        bool[] synthetic = [.. items.Select(evidence.IsSynthetic)];
        int[][] ratings = [.. readers.Select(r => items.Select(i => Rating(r, i)).ToArray())];
        int signals = synthetic.Count(s => s) * readers.Count, others = synthetic.Count(s => !s) * readers.Count;
        int Called(bool kind) => ratings.Sum(row => row.Where((x, c) => synthetic[c] == kind && x > LastReal).Count());
        var (hits, alarms) = (Called(true), Called(false));
        var detection = SignalDetection.Of(hits, signals, alarms, others);
        auc = RankAuc.Crossed([.. ratings.Select(row => (IReadOnlyList<double>)[.. row.Select(x => (double)x)])], synthetic);
        var repeats = Pairs(readers,
            (r, repeat) => (r.Answer(StudyBlock.Realism, repeat.Repeats!), r.Answer(StudyBlock.Realism, repeat.Id)),
            evidence.Repeats);
        var sessions = Pairs(readers,
            (r, item) => (r.Answer(StudyBlock.Realism, item), r.Answer(StudyBlock.Realism, item, session: 2)), items);
        return new RealismResult
        {
            Primary = Accuracy(evidence, readers),
            RealRight = 1 - (double)alarms / others,
            SyntheticRight = (double)hits / signals,
            Sensitivity = detection.Sensitivity,
            Criterion = detection.Criterion,
            Auc = ValueWithInterval.Of(auc, 0, 1),
            PooledAuc = RankAuc.Of(Pooled(true), Pooled(false)),
            Agreement = readers.Count < 2 ? double.NaN
                : Kappa.Fleiss([.. items.Select((_, c) => Votes([.. ratings.Select(row => row[c])]))]),
            RepeatAgreement = repeats.Count > 0 ? Kappa.Weighted(repeats, Answers) : null,
            RepeatPairs = repeats.Count,
            SessionAgreement = sessions.Count > 0 ? Kappa.Weighted(sessions, Answers) : null,
        };

        static IReadOnlyList<int> Votes(int[] answers) => [answers.Count(a => a <= LastReal), answers.Count(a => a > LastReal)];

        double[] Pooled(bool kind) =>
            [.. ratings.SelectMany(row => row.Where((_, c) => synthetic[c] == kind)).Select(x => (double)x)];
    }

    /// <summary>The primary.</summary>
    public static AccuracyResult Accuracy(StudyEvidence evidence, List<ReaderEvidence> readers)
    {
        var items = evidence.Items(StudyBlock.Realism);
        bool[] synthetic = [.. items.Select(evidence.IsSynthetic)];
        bool[][] right = [.. readers.Select(r => items.Select((i, c) => Rating(r, i) > LastReal == synthetic[c]).ToArray())];
        var found = ReaderAccuracy.Of(right, synthetic, evidence.Study.File.Options.Margin);
        int answers = readers.Count * items.Count, hits = right.Sum(row => row.Count(x => x));
        var binomial = WilsonInterval.Of(hits, answers);
        return new(new(found.Estimate.Value, found.Interval95.Low, found.Interval95.High),
            found.Interval90.Low, found.Interval90.High, found.Verdict,
            found.Estimate.StandardError, found.Estimate.DegreesOfFreedom,
            new((double)hits / answers, binomial.Low, binomial.High), readers.Count, items.Count);
    }

    private static int Rating(ReaderEvidence reader, string item) => reader.Answer(StudyBlock.Realism, item)!.Realism!.Value;

    private static List<(int, int)> Pairs<T>(
        List<ReaderEvidence> readers, Func<ReaderEvidence, T, (SessionLine?, SessionLine?)> both, IReadOnlyList<T> things) =>
        [.. readers.SelectMany(r => things.Select(t => both(r, t))).Where(p => p.Item1 is not null && p.Item2 is not null)
            .Select(p => (p.Item1!.Realism!.Value, p.Item2!.Realism!.Value))];
}
