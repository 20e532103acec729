using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Siamorph.Evaluation.Statistics;
using Siamorph.Reports;
using Siamorph.Study;
using Siamorph.Tests.Study;

namespace Siamorph.Tests.Reports;

public sealed partial class StudyReportTests(StudyReportTests.Sample sample) : IClassFixture<StudyReportTests.Sample>
{
    private const string Nasty = "<script>alert(1)</script>";

    /// <summary>One evaluated study for all tests: four readers, one of whom does not look, and a hostile specialty.</summary>
    public sealed class Sample : IDisposable
    {
        private readonly TemporaryFolder _folder = new();

        public Sample()
        {
            var study = SmallStudy.Make(_folder, SmallStudy.Options with { CatchMisses = 0, Experiment = "javascript:alert(1)" });
            for (ulong r = 1; r <= 3; r++) study.Read($"r{r}", study.Guesser(r));
            study.Read("blind", _ => 1, specialty: Nasty);
            Unsealing.Unseal(study.Folder, study.Time);
            Evidence = StudyEvidence.Read(study.Folder);
            Result = StudyAnalysis.Of(Evidence);
            Html = File.ReadAllText(StudyReport.Write(study.Folder).Path);
            Folder = study.Folder;
        }

        internal StudyEvidence Evidence { get; }

        internal StudyResult Result { get; }

        internal string Html { get; }

        internal string Folder { get; }

        public void Dispose() => _folder.Dispose();
    }

    [Fact]
    public void Html_IsWellFormed_AndEscapesWhatReadersWrote()
    {
        Assert.DoesNotContain("<script", sample.Html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("href=\"javascript:", sample.Html, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("&lt;script&gt;", sample.Html, StringComparison.Ordinal);
        var page = Parse(sample.Html);
        var anchors = page.Descendants("section").Select(s => s.Attribute("id")!.Value).ToHashSet();
        Assert.All(page.Descendants("nav").Single().Elements("a"),
            a => Assert.Contains(a.Attribute("href")!.Value[1..], anchors));
        Assert.Equal(anchors.Count, page.Descendants("section").Count());
    }

    [Fact]
    public void Charts_HaveLabelsTablesAndFiniteNumbers_InsideTheirPictures()
    {
        var page = Parse(sample.Html);
        var charts = page.Descendants("svg").Where(s => s.Attribute("role")?.Value == "img").ToList();
        Assert.Equal(2 * 7, charts.Count); // readers, ROC, realism, quality, shape and two of times, wide and narrow
        Assert.All(charts, c => Assert.False(string.IsNullOrWhiteSpace(c.Attribute("aria-label")?.Value)));
        Assert.All(charts, c => Assert.DoesNotMatch("NaN|∞|Infinity", c.ToString()));
        Assert.All(page.Descendants("figure").Where(f => f.Elements("svg").Any()), f => Assert.Single(f.Descendants("table")));
        foreach (var chart in charts)
        {
            var box = chart.Attribute("viewBox")!.Value.Split(' ')
                .Select(n => double.Parse(n, CultureInfo.InvariantCulture)).ToArray();
            foreach (var shape in chart.Descendants().Where(e => e.Name.LocalName is "circle" or "rect"))
            {
                Assert.InRange(Number(shape, "cx", "x"), 0, box[2]);
                Assert.InRange(Number(shape, "cy", "y"), 0, box[3]);
            }
        }

        static double Number(XElement e, params string[] names) =>
            double.Parse(names.Select(n => e.Attribute(n)?.Value).OfType<string>().First(), CultureInfo.InvariantCulture);
    }

    [Fact]
    public void Pictures_AreThoseOfTheStudy_WithMasksAndOutlines()
    {
        var page = Parse(sample.Html);
        Assert.Equal(6 + 6 + 6 + 2 + 2, page.Descendants("img").Count()); // fooled, betrayed, doubted; outlines of both kinds
        Assert.Contains(page.Descendants("path"), p => p.Attribute("class")?.Value == "outline o2");
    }

    [Fact]
    public void LeftOut_IsNamed_AndTheAnswerIsGivenWithAndWithout()
    {
        Assert.Equal((3, 4), (sample.Result.Realism.Primary.Readers, sample.Result.Everyone!.Readers));
        Assert.Contains("blind took 2 of 2 scrambled images for real.", sample.Html, StringComparison.Ordinal);
        Assert.Contains("everyone who finished", sample.Html, StringComparison.Ordinal);
        Assert.Contains("took 2 of 2", File.ReadAllText(Path.Combine(sample.Folder, "readers.csv")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("NoBetterThanChance", 0.51,
        "No: readers were no better than guessing, within 10 points. 51.0\u00A0% of the answers")]
    [InlineData("Both", 0.55, "Hardly: readers were right more often than by guessing, yet within 10 points of it.")]
    [InlineData("Both", 0.45, "Hardly: readers were right less often than by guessing")]
    [InlineData("ToldApart", 0.7, "Yes: readers can tell synthetic from real images.")]
    [InlineData("ToldApart", 0.3, "Yes, the wrong way round")]
    [InlineData("Undecided", 0.55, "Undecided: the answers fit guessing, and they fit a difference of more than 10 points.")]
    public void Answer_SaysTheVerdictFirst_AndNeverThatImagesAreUseful(string verdict, double accuracy, string expected)
    {
        var primary = sample.Result.Realism.Primary with
        {
            Verdict = Enum.Parse<Discrimination>(verdict), Accuracy = new(accuracy, accuracy - 0.04, accuracy + 0.04),
        };
        var result = sample.Result with { Realism = sample.Result.Realism with { Primary = primary } };
        var document = StudyReport.Document(result, sample.Evidence);
        Assert.StartsWith(expected, document.Answer[0], StringComparison.Ordinal);
        Assert.StartsWith("Realism does not show usefulness", document.Answer[^1], StringComparison.Ordinal);
    }

    private static XDocument Parse(string html) =>
        XDocument.Parse(VoidElements().Replace(html, "<$1$2/>").Replace("<!DOCTYPE html>", "", StringComparison.Ordinal)
            .Replace(" checked/>", " checked=\"\"/>", StringComparison.Ordinal));

    [GeneratedRegex("<(meta|link|img|input)\\b([^>]*)>")]
    private static partial Regex VoidElements();
}
