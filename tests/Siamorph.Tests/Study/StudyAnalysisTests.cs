using Siamorph.Evaluation.Statistics;
using Siamorph.Reports;
using Siamorph.Study;

namespace Siamorph.Tests.Study;

public sealed class StudyAnalysisTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Experts_TellApart_AndEverythingAddsUp()
    {
        var study = SmallStudy.Make(_folder);
        foreach (var reader in new[] { "r1", "r2", "r3" }) study.Read(reader, study.Expert());
        var result = Evaluate(study);
        Assert.Equal(1, result.Realism.Primary.Accuracy.Value);
        Assert.Equal(Discrimination.ToldApart, result.Realism.Primary.Verdict);
        Assert.Equal((1, 1, 1, 1),
            (result.Realism.RealRight, result.Realism.SyntheticRight, result.Realism.Auc.Value, result.Realism.Agreement));
        Assert.Equal((1.0, 12), (result.Realism.RepeatAgreement, result.Realism.RepeatPairs)); // 4 repeats, 3 readers
        Assert.Equal((3, 12), (result.Realism.Primary.Readers, result.Realism.Primary.Images));
        Assert.Equal(3 * 6, result.Quality!.RealCounts.Sum());
        Assert.Equal((3, 4), (result.Outlines!.Readers, result.Outlines.Images));
        Assert.All(result.Images, i => Assert.Equal(i.Synthetic ? 1 : 0, i.CalledSynthetic));
        Assert.All(result.Times, t => Assert.Equal(3.5, t.Median)); // 4 s, half a second of them hidden
        Assert.Equal(4, result.Tests.Count);
        Assert.All(result.Tests, t => Assert.True(t.AdjustedP >= t.P));
        Assert.Equal(["abc123"], result.ModelHashes);
    }

    [Fact]
    public void QualityAndShape_AreThoseThatWereGiven()
    {
        var study = SmallStudy.Make(_folder);
        foreach (var reader in new[] { "r1", "r2" }) study.Read(reader, study.Expert());
        var result = Evaluate(study);
        var real = result.Images.Where(i => !i.Synthetic).Select(i => 3.0 + i.Item[0] % 3).Average();
        Assert.Equal(real, result.Quality!.Real.Value, 12);
        Assert.Equal(result.Quality.Synthetic.Value - real, result.Quality.Difference.Value, 12);
        Assert.Equal((1, 1), (Math.Round(result.Quality.Single, 9), Math.Round(result.Shape!.Mean, 9))); // both gave the same
    }

    [Fact]
    public void WhoDoesNotLook_IsLeftOut_AndCountedInTheOtherLine()
    {
        var study = SmallStudy.Make(_folder, SmallStudy.Options with { CatchMisses = 0 });
        study.Read("r1", study.Expert());
        study.Read("r2", study.Expert());
        study.Read("blind", _ => 1);
        study.Read("late", study.Expert(), most: 20);
        study.Read("gone", study.Expert());
        study.Enrol("never");
        ReadingSession.Withdraw(study.Folder, "gone");
        var result = Evaluate(study);
        Assert.Equal(["blind took 2 of 2 scrambled images for real", "gone withdrew",
            "late answered 3 of 12 questions about realism", "never never began"],
            result.Readers.Where(r => r.LeftOut is not null)
                .Select(r => System.Text.RegularExpressions.Regex.Replace($"{r.Reader} {r.LeftOut}", "answered . of",
                "answered 3 of")));
        Assert.Equal((2, 3), (result.Realism.Primary.Readers, result.Everyone!.Readers));
        Assert.Equal((1.0, 5 / 6.0), (result.Realism.Primary.Accuracy.Value, Math.Round(result.Everyone.Accuracy.Value * 6) / 6));
    }

    [Fact]
    public void SecondSession_IsComparedWithTheFirst_AndChangesNothingElse()
    {
        var study = SmallStudy.Make(_folder);
        study.Read("r1", study.Expert());
        study.Time.Now = study.Time.Now.AddDays(20);
        study.Read("r1", study.Expert(), session: 2);
        var result = Evaluate(study);
        Assert.Equal((1.0, 1.0, 2),
            (result.Realism.SessionAgreement, result.Realism.Primary.Accuracy.Value, result.Readers[0].Sessions));
    }

    [Fact]
    public void SealedStudy_IsNotEvaluated_AndAnUnsealedOneTakesNoAnswers()
    {
        var study = SmallStudy.Make(_folder);
        study.Read("r2", study.Expert(), most: 4);
        Assert.Contains("no reader has finished",
            Assert.Throws<InvalidStudyException>(() => Unsealing.Unseal(study.Folder)).Message,
            StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(study.Folder, "unsealed.json")));
        study.Read("r1", study.Expert());
        var reading = study.Open("r2");
        Assert.Contains("is sealed",
            Assert.Throws<InvalidStudyException>(() => StudyAnalysis.Run(StudyEvidence.Read(study.Folder))).Message,
            StringComparison.Ordinal);
        Unsealing.Unseal(study.Folder);
        Assert.Throws<InvalidStudyException>(() => reading.Record(study.Answer(reading.Next!, _ => 1)));
        Assert.Throws<InvalidStudyException>(() => study.Open("r2"));
        Assert.Throws<InvalidStudyException>(() => study.Enrol("r3"));
        Assert.Equal(1, StudyAnalysis.Run(StudyEvidence.Read(study.Folder)).Realism.Primary.Readers);
    }

    [Fact]
    public void AnswersTakenAwayAfterUnsealing_AreNoticed()
    {
        var study = SmallStudy.Make(_folder);
        study.Read("r1", study.Expert());
        Unsealing.Unseal(study.Folder);
        var path = Path.Combine(study.Folder, "sessions", "r1-1.jsonl");
        File.WriteAllLines(path, File.ReadAllLines(path)[..^1]); // the chain of what is left is whole
        Assert.Contains("had 38 answers when the study was unsealed",
            Assert.Throws<InvalidStudyException>(() => StudyAnalysis.Run(StudyEvidence.Read(study.Folder))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void SealingAgain_IsNoticed()
    {
        var study = SmallStudy.Make(_folder);
        study.Read("r1", study.Expert());
        Evaluate(study);
        File.Delete(Path.Combine(study.Folder, "unsealed.json"));
        var fault = Assert.Single(StudyChecker.Check(study.Folder).Findings, f => f.IsError).Message;
        Assert.Contains("the key was opened before", fault, StringComparison.Ordinal);
        Assert.Throws<InvalidStudyException>(() => study.Enrol("r2"));
        Assert.Throws<InvalidStudyException>(() => Unsealing.Unseal(study.Folder));
    }

    [Fact] // one reader, nothing but the question about realism: what can't be said stays empty
    public void BarestStudy_IsEvaluatedAndReported()
    {
        var study = SmallStudy.Make(_folder,
            new StudyOptions { Images = 3, Readers = 1, Practice = 0, RepeatShare = 0, CatchItems = 0, OutlineImages = 0 });
        study.Read("r1", study.Guesser(1));
        var result = Evaluate(study);
        Assert.Equal((1, 6), (result.Realism.Primary.Readers, result.Realism.Primary.Images));
        Assert.Null(result.Outlines);
        Assert.Null(result.Realism.RepeatAgreement);
        var document = StudyReport.Document(result, StudyEvidence.Read(study.Folder));
        Assert.Contains("With one reader the interval speaks of this reader alone.", string.Join(' ', document.Answer),
            StringComparison.Ordinal);
        var (html, markdown) = (HtmlReport.Render(document), MarkdownReport.Render(document));
        Assert.All(new[] { "NaN", "∞", "Infinity" },
            word => Assert.DoesNotContain(word, html + markdown, StringComparison.Ordinal));
    }

    [Fact]
    public void EditedOutline_IsNoticed()
    {
        var study = SmallStudy.Make(_folder);
        study.Read("r1", study.Expert());
        var outline = Directory.GetFiles(Path.Combine(study.Folder, "outlines", "r1-1"))[0];
        File.AppendAllText(outline, "x");
        var fault = Assert.Single(StudyChecker.Check(study.Folder).Findings, f => f.IsError).Message;
        Assert.Equal($"{outline}: the outline is missing, or not the one that was drawn. Restore it.", fault);
    }

    private static StudyResult Evaluate(SmallStudy study)
    {
        Unsealing.Unseal(study.Folder, study.Time);
        return StudyAnalysis.Run(StudyEvidence.Read(study.Folder));
    }
}
