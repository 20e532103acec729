using Siamorph.Cli;
using Siamorph.Evaluation.Statistics;
using Siamorph.Study;
using Siamorph.Training;

namespace Siamorph.Tests.Study;

/// <summary>The verbs `study …`, through the command line.</summary>
public sealed class StudyVerbsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _output = new(), _error = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WholeStudy_FromImagesToReportAndExport()
    {
        SmallStudy.Pairs(_folder["real"], false, 16);
        SmallStudy.Pairs(_folder["synthetic"], true, 16);
        var study = new SmallStudy(_folder);
        Assert.Equal(0, Run("study", "make", _folder["synthetic"], "--data", _folder["real"], "--out", study.Folder, "--images",
            "6", "--outline-images", "2",
            "--repeat-share", "0.25", "--catch-items", "2", "--practice", "4", "--experiment", "../answer/report.html"));
        Assert.Contains("6 real and 6 synthetic images of 32×32 pixels", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("below 128", _error.ToString(), StringComparison.Ordinal);
        for (ulong r = 1; r <= 4; r++) study.Read($"r{r}", study.Guesser(r));

        Assert.Equal(0, Run("study", "check", study.Folder));
        Assert.Contains("session 1: finished", _output.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, Run("study", "report", study.Folder));
        Assert.Contains("the study is sealed", _error.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, Run("study", "export", study.Folder));
        Assert.Empty(Directory.GetFiles(study.Folder, "report*"));

        Assert.Equal(0, Run("study", "report", study.Folder, "--unseal"));
        var html = File.ReadAllText(Path.Combine(study.Folder, "report.html"));
        Assert.Contains("Can readers tell synthetic from real images?", html, StringComparison.Ordinal);
        Assert.Contains("Realism does not show usefulness", html, StringComparison.Ordinal);
        Assert.Contains("href=\"../answer/report.html\"", html, StringComparison.Ordinal);
        Assert.Contains("Realism does not show usefulness", File.ReadAllText(Path.Combine(study.Folder, "report.md")),
            StringComparison.Ordinal);
        Assert.Equal(1 + 4, File.ReadAllLines(Path.Combine(study.Folder, "readers.csv")).Length);
        Assert.Equal(1 + 12, File.ReadAllLines(Path.Combine(study.Folder, "images.csv")).Length);
        Assert.Equal(1 + 4 * 38, File.ReadAllLines(Path.Combine(study.Folder, "answers.csv")).Length);
        Assert.Equal(4, OptionsFile.Load<StudyResult>(Path.Combine(study.Folder, "results.json")).Realism.Primary.Readers);
        Assert.Equal(0, Run("study", "report", study.Folder)); // unsealed once for all
        Assert.Equal(0, Run("study", "check", study.Folder));
    }

    [Fact]
    public void Export_HoldsTheSameAccuracyAndArea()
    {
        var study = SmallStudy.Make(_folder);
        for (ulong r = 1; r <= 3; r++) study.Read($"r{r}", study.Guesser(r));
        Unsealing.Unseal(study.Folder);
        Assert.Equal(0, Run("study", "export", study.Folder, "--out", _folder["imrmc"]));
        var result = StudyAnalysis.Run(StudyEvidence.Read(study.Folder));
        Assert.Equal(result.Realism.Auc.Value, Area("realism.imrmc"), 12);
        Assert.Equal(result.Realism.Primary.Accuracy.Value, Area("decisions.imrmc"), 12);

        // As iMRMC reads it: headings, truth by reader −1 and modality 0, then reader, case, modality, score.
        double Area(string name)
        {
            var lines = File.ReadAllLines(_folder["imrmc", name]);
            Assert.Equal(["N0: 6", "N1: 6", "NR: 3", "NM: 1", "BEGIN DATA:"], lines[1..6]);
            var rows = lines[6..].Select(l => l.Split(',')).ToList();
            Assert.All(rows, r => Assert.Equal(4, r.Length));
            var truth = rows.Where(r => r[0] == "-1").ToDictionary(r => r[1], r => r[3]);
            Assert.Equal(12, truth.Count);
            return rows.Where(r => r[0] != "-1").GroupBy(r => r[0]).Average(g => RankAuc.Of(
                [.. g.Where(r => truth[r[1]] == "1").Select(r => double.Parse(r[3]))],
                [.. g.Where(r => truth[r[1]] == "0").Select(r => double.Parse(r[3]))]));
        }
    }

    [Fact]
    public void BadInput_IsOneLine()
    {
        OneLine("no study.json here", "study", "check", _folder.Path);
        OneLine("the folder does not exist", "study", "make", _folder["none"], "--data", _folder["none"], "--out",
            _folder["out"]);
        OneLine("images is 1", "study", "make", _folder["none"], "--data", _folder["none"], "--out", _folder["out"], "--images",
            "1", "--outline-images", "1");
        var study = SmallStudy.Make(_folder);
        OneLine("holds files already", "study", "make", _folder["synthetic"], "--data", _folder["real"], "--out", study.Folder,
            "--images", "6", "--outline-images", "2");
        study.Read("r1", _ => 4, most: 6);
        var session = Path.Combine(study.Folder, "sessions", "r1-1.jsonl");
        File.WriteAllText(session, File.ReadAllText(session).Replace("\"quality\":", "\"quality\": ", StringComparison.Ordinal));
        OneLine("the chain is broken", "study", "report", study.Folder, "--unseal");
        Assert.False(File.Exists(Path.Combine(study.Folder, "unsealed.json")));
        Assert.Equal(2, Run("study", "check", study.Folder));

        void OneLine(string expected, params string[] arguments)
        {
            Assert.Equal(2, Run(arguments));
            var line = Assert.Single(_error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries),
                l => l.StartsWith("siamorph:", StringComparison.Ordinal));
            Assert.Contains(expected, line, StringComparison.Ordinal);
        }
    }

    private int Run(params string[] arguments)
    {
        _error.GetStringBuilder().Clear();
        return Application.Run([StudyCommand.Create()], arguments,
            new Application.Surroundings { Output = _output, Error = _error });
    }
}
