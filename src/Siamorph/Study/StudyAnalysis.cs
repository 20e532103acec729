using Siamorph.Evaluation.Masks;
using Siamorph.Evaluation.Statistics;
using Siamorph.Experiment;
using Siamorph.Training;

namespace Siamorph.Study;

/// <summary>Evaluates an unsealed study and writes results.json.</summary>
internal static class StudyAnalysis
{
    /// <exception cref="SiamorphException">No reader counts, or the folder can't be written.</exception>
    public static StudyResult Run(StudyEvidence evidence)
    {
        var result = Of(evidence);
        OptionsFile.Save(Path.Combine(evidence.Study.Path, StudyFolder.ResultName), result);
        return result;
    }

    public static StudyResult Of(StudyEvidence evidence)
    {
        var (file, items) = (evidence.Study.File, evidence.Items(StudyBlock.Realism));
        var readers = evidence.Readers.Select(r => ReaderStatistics.Of(evidence, r)).ToList();
        var counted = Having(evidence, readers, StudyBlock.Realism, r => r.LeftOut is null);
        var finished = Having(evidence, readers, StudyBlock.Realism, _ => true).Where(r => !r.Withdrawn).ToList();
        if (counted.Count == 0)
            throw new InvalidStudyException($"{evidence.Study.Path}: no reader counts: "
                + $"{string.Join("; ", readers.Select(r => $"{r.Reader}: {r.LeftOut}"))}.");
        var (quality, shape) = (Scale(evidence, readers, l => l.Quality!.Value), Scale(evidence, readers, l => l.Shape!.Value));
        var outlines = Outlines(evidence, readers);
        var realism = RealismStatistics.Of(evidence, counted, out var auc);
        return new StudyResult
        {
            Product = ProductVersion.Version,
            Study = evidence.Study.Hash,
            Options = file.Options,
            Size = file.Size,
            Created = file.Created,
            Unsealed = evidence.Unsealed.At,
            ModelHashes = [.. items.Select(i => evidence.Key[i].ModelHash).OfType<string>().Distinct()
                .Order(StringComparer.Ordinal)],
            Realism = realism,
            Everyone = finished.Count > counted.Count ? RealismStatistics.Accuracy(evidence, finished) : null,
            Quality = quality?.Result,
            Shape = shape?.Result,
            Outlines = outlines?.Result,
            Tests = Tests(auc, quality?.Difference, shape?.Difference, outlines?.Difference),
            Readers = readers,
            Images = [.. items.Select(i => Image(evidence, counted, i))],
            Times = [.. Enum.GetValues<StudyBlock>().Select(b => Times(evidence, readers, b)).OfType<AnswerTimes>()],
        };
    }

    private static List<ReaderEvidence> Having(StudyEvidence evidence, List<ReaderResult> readers, StudyBlock block,
        Func<ReaderResult, bool> wanted)
    {
        var items = evidence.Items(block);
        return [.. evidence.Readers.Where((r, i) => wanted(readers[i]) && items.Count > 0 && r.Finished(block, items))];
    }

    private static (ScaleResult Result, CrossedEstimate Difference)? Scale(StudyEvidence evidence, List<ReaderResult> readers,
        Func<SessionLine, int> rating)
    {
        var (counted, items) = (Having(evidence, readers, StudyBlock.Quality, r => r.LeftOut is null),
            evidence.Items(StudyBlock.Quality));
        if (counted.Count == 0) return null;
        double[][] ratings = [.. counted
            .Select(r => items.Select(i => (double)rating(r.Answer(StudyBlock.Quality, i)!)).ToArray())];
        int[] kinds = [.. items.Select(i => evidence.IsSynthetic(i) ? 1 : 0)];
        double[][] Part(int kind) => [.. ratings.Select(row => row.Where((_, c) => kinds[c] == kind).ToArray())];
        int[] Counts(int kind) => [.. Enumerable.Range(1, 5).Select(v => Part(kind).Sum(row => row.Count(x => x == v)))];
        var difference = CrossedMean.Of(ratings, kinds, [-1, 1]);
        var icc = counted.Count > 1 ? IntraclassCorrelation.Of(ratings) : new(double.NaN, double.NaN);
        var bounded = ValueWithInterval.Of(difference, -4, 4);
        return (new ScaleResult
        {
            Real = ValueWithInterval.Of(CrossedMean.Of(Part(0)), 1, 5),
            Synthetic = ValueWithInterval.Of(CrossedMean.Of(Part(1)), 1, 5),
            Difference = bounded,
            NonInferior = bounded.Low > -evidence.Study.File.Options.QualityMargin,
            Single = icc.Single,
            Mean = icc.Mean,
            RealCounts = Counts(0),
            SyntheticCounts = Counts(1),
            Readers = counted.Count,
        }, difference);
    }

    private static (OutlineResult Result, CrossedEstimate Difference)? Outlines(StudyEvidence evidence,
        List<ReaderResult> readers)
    {
        var (counted, items) = (Having(evidence, readers, StudyBlock.Outline, r => r.LeftOut is null),
            evidence.Items(StudyBlock.Outline));
        if (counted.Count == 0) return null;
        double[][] dice = [.. counted.Select(r => items.Select(i => Dice(evidence, r, i)).ToArray())];
        int[] kinds = [.. items.Select(i => evidence.IsSynthetic(i) ? 1 : 0)];
        double[][] Part(int kind) => [.. dice.Select(row => row.Where((_, c) => kinds[c] == kind).ToArray())];
        var difference = CrossedMean.Of(dice, kinds, [-1, 1]);
        return (new OutlineResult(ValueWithInterval.Of(CrossedMean.Of(Part(0)), 0, 1),
            ValueWithInterval.Of(CrossedMean.Of(Part(1)), 0, 1),
            ValueWithInterval.Of(difference, -1, 1), counted.Count, items.Count), difference);
    }

    private static double Dice(StudyEvidence evidence, ReaderEvidence reader, string item) =>
        Confusion.AtHalf(evidence.Mask(item), ProbabilityMap.FromMask(evidence.Outline(reader.Profile.Reader, item))).Dice;

    private static List<SecondaryTest> Tests(CrossedEstimate auc, CrossedEstimate? quality, CrossedEstimate? shape,
        CrossedEstimate? outlines)
    {
        var all = new List<(string Name, double Expected, CrossedEstimate Estimate)> { ("Area under the ROC curve", 0.5, auc) };
        if (quality is not null) all.Add(("Image quality, synthetic minus real", 0, quality));
        if (shape is not null) all.Add(("Plausibility of the shape, synthetic minus real", 0, shape));
        if (outlines is not null) all.Add(("Dice of outlines, synthetic minus real", 0, outlines));
        double[] p = [.. all.Select(t => t.Estimate.P(t.Expected))];
        var adjusted = HolmCorrection.Adjust(p);
        return [.. all.Select((t, i) =>
            new SecondaryTest(t.Name, t.Expected, ValueWithInterval.Of(t.Estimate), p[i], adjusted[i]))];
    }

    private static ImageResult Image(StudyEvidence evidence, List<ReaderEvidence> counted, string item)
    {
        var key = evidence.Key[item];
        var answers = counted.Select(r => r.Answer(StudyBlock.Realism, item)!.Realism!.Value).ToList();
        var rated = counted.Select(r => r.Answer(StudyBlock.Quality, item)).OfType<SessionLine>().ToList();
        var outlined = counted.Where(r => r.Answer(StudyBlock.Outline, item) is not null).ToList();
        var called = answers.Average(a => a > RealismStatistics.LastReal ? 1.0 : 0);
        return new(item, key.Kind == StudyKind.Synthetic, key.Pair, key.Third, key.Area, called, answers.Average())
        {
            Quality = rated.Count > 0 ? rated.Average(l => l.Quality!.Value) : null,
            Shape = rated.Count > 0 ? rated.Average(l => l.Shape!.Value) : null,
            Dice = outlined.Count > 0 ? outlined.Average(r => Dice(evidence, r, item)) : null,
        };
    }

    private static AnswerTimes? Times(StudyEvidence evidence, List<ReaderResult> readers, StudyBlock block)
    {
        var items = evidence.Items(block);
        double[] seconds = [.. evidence.Readers.Where((_, i) => readers[i].LeftOut is null)
            .SelectMany(r => items.Select(i => r.Answer(block, i))).OfType<SessionLine>().Select(l => l.Seconds).Order()];
        if (seconds.Length == 0) return null;
        double At(double share) => Quantiles.OfSorted(seconds, share);
        return new(block, At(0.5), At(0.25), At(0.75), seconds);
    }
}
