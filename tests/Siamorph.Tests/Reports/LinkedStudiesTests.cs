using Siamorph.Cli;
using Siamorph.Experiment;
using Siamorph.Reports;
using Siamorph.Study;
using Siamorph.Tests.Study;
using Siamorph.Training;

namespace Siamorph.Tests.Reports;

/// <summary>`report EXPERIMENT --study STUDY`: what readers said stands in the experiment's report.</summary>
public sealed class LinkedStudiesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _error = new();
    private readonly string _experiment;

    public LinkedStudiesTests()
    {
        _experiment = Directory.CreateDirectory(_folder["experiment"]).FullName;
        AtomicFile.WriteText(_folder["experiment", ExperimentRunner.ResultFile],
            OptionsFile.ToJson(SampleExperiment.Result(_experiment)));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void EvaluatedStudy_StandsInThisAndLaterReports()
    {
        var study = Evaluated();
        Assert.Equal(0, Report(_experiment, "--study", study));
        Assert.Equal(0, Report(_experiment, "--study", study));
        Assert.Equal(0, Report(_experiment));
        var html = File.ReadAllText(_folder["experiment", "report.html"]);
        Assert.Contains("href=\"../study/report.html\"", html, StringComparison.Ordinal);
        Assert.Equal(2, html.Split("id=\"what-readers-said\"").Length);
        var answer = StudySentences.Verdict(StudyAnalysis.Run(StudyEvidence.Read(study)));
        Assert.Equal(2, File.ReadAllText(_folder["experiment", "report.md"]).Split(answer).Length);
        // It was another model's
        Assert.Contains("Not all of its synthetic images come from generators of this experiment", html,
            StringComparison.Ordinal);
    }

    [Fact]
    public void StudyOfTheExperimentsOwnGenerator_IsSaidToBe()
    {
        var result = SampleExperiment.Result(_experiment);
        var own = result with
        {
            Generators = [.. result.Generators.Select(g => g with { Outcome = g.Outcome with { ModelHash = "abc123" } })],
        };
        AtomicFile.WriteText(_folder["experiment", ExperimentRunner.ResultFile], OptionsFile.ToJson(own));
        Assert.Equal(0, Report(_experiment, "--study", Evaluated()));
        Assert.Contains("come from a generator of this experiment", File.ReadAllText(_folder["experiment", "report.html"]),
            StringComparison.Ordinal);
    }

    [Fact]
    public void StudyThatWentAway_IsNamed_AndTheReportIsStillWritten()
    {
        var study = Evaluated();
        Assert.Equal(0, Report(_experiment, "--study", study));
        Directory.Move(study, _folder["elsewhere"]);
        Assert.Equal(0, Report(_experiment));
        Assert.Contains("../study can no longer be read", File.ReadAllText(_folder["experiment", "report.html"]),
            StringComparison.Ordinal);
    }

    [Fact]
    public void SealedStudy_OrNoStudy_OrNoExperiment_IsOneLine_AndNothingIsKept()
    {
        var study = SmallStudy.Make(_folder).Folder;
        Assert.Equal(2, Report(_experiment, "--study", study));
        Assert.Contains("the study has no report yet", _error.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, Report(_experiment, "--study", _folder["nowhere"]));
        Assert.Contains("no study.json here", _error.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, Report(_folder["nowhere"], "--study", study));
        Assert.Contains("no results.json in this folder", _error.ToString(), StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["experiment", LinkedStudies.FileName]));
    }

    private string Evaluated()
    {
        var study = SmallStudy.Make(_folder);
        for (ulong r = 1; r <= 3; r++) study.Read($"r{r}", study.Guesser(r));
        Unsealing.Unseal(study.Folder);
        StudyReport.Write(study.Folder);
        return study.Folder;
    }

    private int Report(params string[] arguments)
    {
        _error.GetStringBuilder().Clear();
        return Application.Run([ReportCommand.Create()], ["report", .. arguments],
            new Application.Surroundings { Output = TextWriter.Null, Error = _error });
    }
}
