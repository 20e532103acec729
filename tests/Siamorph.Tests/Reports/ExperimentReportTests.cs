using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Siamorph.Experiment.Results;
using Siamorph.Reports;
using Siamorph.Reports.Sections;
using Siamorph.Training;

namespace Siamorph.Tests.Reports;

public sealed partial class ExperimentReportTests(ExperimentReportTests.Sample sample)
    : IClassFixture<ExperimentReportTests.Sample>
{
    /// <summary>One written report for all tests.</summary>
    public sealed class Sample : IDisposable
    {
        private readonly TemporaryFolder _folder = new();

        public Sample()
        {
            Result = SampleExperiment.Result(_folder.Path);
            Html = File.ReadAllText(ExperimentReport.Write(Result, SampleExperiment.Times(Result), _folder.Path).Path);
        }

        internal ExperimentResult Result { get; }

        internal string Html { get; }

        internal string Path(string name) => _folder[name];

        public void Dispose() => _folder.Dispose();
    }

    [Fact]
    public void Write_LeavesHtmlMarkdownAndCsv()
    {
        foreach (var file in new[] { "report.html", "report.md", "scores.csv", "per-image.csv", "robustness.csv" })
            Assert.True(new FileInfo(sample.Path(file)).Length > 500, file);
        Assert.Equal(1 + 12, File.ReadAllLines(sample.Path("scores.csv")).Length);
        Assert.Equal(1 + 12 * 97, File.ReadAllLines(sample.Path("per-image.csv")).Length);
        Assert.Equal(1 + 2 * 2 * (1 + 5 * 3), File.ReadAllLines(sample.Path("robustness.csv")).Length);
    }

    [Fact]
    public void Html_NeedsNothingFromOutside()
    {
        var html = sample.Html;
        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("http:", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("https:", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("url(", html, StringComparison.OrdinalIgnoreCase);
        foreach (Match link in Links().Matches(html))
            Assert.True(link.Groups[1].Value.StartsWith("data:", StringComparison.Ordinal)
                || link.Groups[1].Value.StartsWith('#'), link.Value);
    }

    [Fact]
    public void Html_IsWellFormed_AndEscapesWhatUsersNamed()
    {
        var html = sample.Html;
        Assert.DoesNotContain(SampleExperiment.NastyId, html, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;", html, StringComparison.Ordinal);
        Assert.DoesNotContain("kvasir <b>", html, StringComparison.Ordinal);
        var page = Parse(html);
        var anchors = page.Descendants("section").Select(s => s.Attribute("id")!.Value).ToHashSet();
        Assert.All(page.Descendants("nav").Single().Elements("a"),
            a => Assert.Contains(a.Attribute("href")!.Value[1..], anchors));
    }

    [Fact]
    public void Html_SaysTheAnswerFirst_AndShowsEveryArmSeedAndOption()
    {
        var page = Parse(sample.Html);
        var text = page.Root!.Value;
        Assert.Contains("scored higher than real only with 50 real training pairs; with 200 there is no evidence", text,
            StringComparison.Ordinal);
        Assert.Contains("no evidence", text, StringComparison.Ordinal);
        Assert.Contains("real only", text, StringComparison.Ordinal);
        Assert.Contains("real + synthetic", text, StringComparison.Ordinal);
        Assert.Contains("segmentation.learningRate", text, StringComparison.Ordinal);
        Assert.Contains("0.001", text, StringComparison.Ordinal);
        Assert.Contains(new string('c', 64), text, StringComparison.Ordinal);
        Assert.Contains("AMD <EPYC>", text, StringComparison.Ordinal);
        Assert.Equal(2 * (16 + 24 + 8) + 20, page.Descendants("img").Count());
    }

    [Fact]
    public void Charts_HaveLabelsTablesAndFiniteNumbers()
    {
        var html = sample.Html;
        var page = Parse(html);
        var charts = page.Descendants("svg").Where(s => s.Attribute("role")?.Value == "img").ToList();
        Assert.True(charts.Count >= 24);
        Assert.All(charts, c => Assert.False(string.IsNullOrWhiteSpace(c.Attribute("aria-label")?.Value)));
        Assert.All(charts, c => Assert.DoesNotMatch("NaN|∞|Infinity", c.ToString()));
        Assert.All(page.Descendants("figure").Where(f => f.Elements("svg").Any()), f => Assert.Single(f.Descendants("table")));
        foreach (var circle in charts.SelectMany(c => c.Descendants("circle")))
            Assert.True(double.TryParse(circle.Attribute("cx")!.Value, CultureInfo.InvariantCulture, out _));
    }

    [Fact]
    public void Html_SaysWhatTheGateCanSee()
    {
        Assert.Contains("it rejects 62\u00A0% of real images that are given the mask of another image", Section(sample.Result),
            StringComparison.Ordinal);
        Assert.Contains("4 of 500", Section(sample.Result), StringComparison.Ordinal); // for agreement, both gates together
        ExperimentResult With(double power, IReadOnlyDictionary<string, int> reasons)
            => sample.Result with
            {
                Gates = [.. sample.Result.Gates.Select(g => g with
                {
                    Outcome = g.Outcome with { WrongMasksRefused = power, Reasons = reasons },
                })],
            };
        Assert.Contains("almost no power", Section(With(0.08, sample.Result.Gates[0].Outcome.Reasons)), StringComparison.Ordinal);
        Assert.Contains("candidates was rejected", Section(With(0.6, new Dictionary<string, int>())), StringComparison.Ordinal);

        string Section(ExperimentResult result)
            => System.Net.WebUtility.HtmlDecode(Rendered(result)).Split("<h2>Quality gate</h2>")[1].Split("</section>")[0];
    }

    [Fact]
    public void Html_NamesEveryCellOfAWideTable_SoThatAPhoneCanStackThem()
    {
        var tables = Parse(sample.Html).Descendants("div").Where(d => (string?)d.Attribute("class") == "scroll stack")
            .Select(d => d.Element("table")!).ToList();
        Assert.NotEmpty(tables);
        foreach (var table in tables)
        {
            var headings = table.Element("thead")!.Descendants("th").Skip(1).Select(h => h.Value).ToList();
            Assert.All(table.Element("tbody")!.Elements("tr"),
                row => Assert.Equal(headings, row.Elements("td").Select(c => c.Attribute("data-label")!.Value)));
        }
    }

    [Fact]
    public void Html_IsTheSameInEveryCulture()
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            var comma = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            comma.NumberFormat.NumberDecimalSeparator = ",";
            comma.NumberFormat.NegativeSign = "~";
            CultureInfo.CurrentCulture = comma;
            Assert.Equal(sample.Html, Rendered(sample.Result));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Write_ReadsBackWhatTheExperimentWrote()
    {
        File.WriteAllText(sample.Path("results.json"), OptionsFile.ToJson(sample.Result));
        File.WriteAllText(sample.Path("times.json"), OptionsFile.ToJson(SampleExperiment.Times(sample.Result)));
        Assert.Equal(sample.Html, File.ReadAllText(
            ExperimentReport.Write(Path.GetDirectoryName(sample.Path("results.json"))!).Path));
    }

    [Fact]
    public void Write_WithoutResult_SaysWhatIsMissing()
    {
        using var empty = new TemporaryFolder();
        Assert.Contains("results.json", Assert.Throws<SiamorphException>(() => ExperimentReport.Write(empty.Path)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Write_WithoutPictures_SaysSo()
    {
        using var empty = new TemporaryFolder();
        var html = File.ReadAllText(ExperimentReport.Write(sample.Result, null, empty.Path).Path);
        Assert.Contains("no longer in the experiment", html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.01, 0.05, "scored higher")]
    [InlineData(-0.05, -0.01, "scored lower")]
    [InlineData(-0.01, 0.05, "no evidence")]
    [InlineData(0, 0.05, "no evidence")]
    public void Answer_ClaimsOnlyWhatTheIntervalAllows(double low, double high, string expected)
    {
        var result = sample.Result with { Comparisons = [sample.Result.Comparisons[0] with { Low = low, High = high }] };
        Assert.Contains(expected, ExperimentSentences.Answer(result)[0], StringComparison.Ordinal);
    }

    private string Rendered(ExperimentResult result) => HtmlReport.Render(ExperimentReport.Document(
        result, SampleExperiment.Times(result), Path.GetDirectoryName(sample.Path("report.html"))!));

    // The page is HTML; with its void elements closed it must also be XML.
    private static XDocument Parse(string html)
        => XDocument.Parse(VoidElements().Replace(html, "<$1$2/>").Replace("<!DOCTYPE html>", "", StringComparison.Ordinal)
            .Replace(" checked>", " checked=\"\">", StringComparison.Ordinal)
            .Replace(" checked/>", " checked=\"\"/>", StringComparison.Ordinal));

    [GeneratedRegex("<(meta|link|img|input)\\b([^>]*)>")]
    private static partial Regex VoidElements();

    [GeneratedRegex("(?:href|src)=\"([^\"]*)\"")]
    private static partial Regex Links();
}
