using Siamorph.Imaging;
using Siamorph.Study;

namespace Siamorph.Tests.Study;

public sealed class ReadingSessionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WholeSession_NeedsNoKey_AndGoesOnWhereItWas()
    {
        var study = SmallStudy.Make(_folder);
        File.Move(Path.Combine(study.Folder, "key.jsonl"), _folder["elsewhere"]);
        study.Enrol("r1");
        var seen = new List<string>();
        while (study.Open("r1").Next is { } due) // a page that is loaded anew before every image
        {
            Assert.True(File.Exists(due.ImagePath));
            Assert.Equal((seen.Count + 1, 38), (due.Number, due.Total));
            study.Open("r1").Record(study.Answer(due, _ => 4));
            seen.Add(due.Item);
        }
        Assert.Equal(38, seen.Count);
        Assert.Throws<InvalidStudyException>(() =>
            study.Open("r1").Record(new ReadingAnswer { Item = seen[^1], Shown = study.Time.Now, Milliseconds = 1,
            Realism = 1 }));
    }

    [Fact] // a web page that reads must not load half a gigabyte
    public void Sources_UseNoTorch()
    {
        var room = Path.Combine(SharedMaterial.RepositoryRoot, "src", "Siamorph", "Study");
        Assert.All(Directory.GetFiles(room, "*.cs", SearchOption.AllDirectories),
            f => Assert.DoesNotContain("torch", File.ReadAllText(f), StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void AnswersThatDoNotFit_AreRefused_AndNothingIsWritten()
    {
        var study = SmallStudy.Make(_folder);
        study.Enrol("r1");
        var reading = study.Open("r1");
        var due = reading.Next!;
        var good = study.Answer(due, _ => 4);
        Refused("was due", good with { Item = new string('0', 32) });
        Refused("quality and shape", good with { Quality = null });
        Refused("quality and shape", good with { Quality = 6 });
        Refused("quality and shape", good with { Realism = 3 });
        Refused("can't be shown", good with { HiddenMilliseconds = 4001 });
        Refused("zoom", good with { Zoom = double.NaN });
        Assert.False(File.Exists(Path.Combine(study.Folder, "sessions", "r1-1.jsonl")));
        reading.Record(good);
        Refused("was due", good); // no way back
        while (reading.Next is { Block: not StudyBlock.Outline } next) reading.Record(study.Answer(next, _ => 1));
        Refused("outline of 32×32", study.Answer(reading.Next!, _ => 1) with { Outline = new LabelMap(new ImageSize(8, 8)) });

        void Refused(string expected, ReadingAnswer answer) =>
            Assert.Contains(expected, Assert.Throws<InvalidStudyException>(() => reading.Record(answer)).Message,
                StringComparison.Ordinal);
    }

    [Fact]
    public void Readers_AreEnrolledOnce_UnderPseudonyms_WithTheConsentOfThisStudy()
    {
        var study = SmallStudy.Make(_folder);
        study.Enrol("r1");
        Refused("already takes part", "r1");
        foreach (var name in new[] { "../x", "Dr. Miller", "", "R1", "a/b", "-a", "a.b" }) Refused("is not a pseudonym", name);
        Assert.Throws<InvalidStudyException>(() =>
            ReadingSession.Enrol(study.Folder, new ReaderProfile { Reader = "r2", Consent = "something else" }));
        Assert.Throws<InvalidStudyException>(() => study.Open("r2"));
        ReadingSession.Withdraw(study.Folder, "r1");
        Assert.Contains("withdrawn", Assert.Throws<InvalidStudyException>(() => study.Open("r1")).Message,
            StringComparison.Ordinal);

        void Refused(string expected, string name) =>
            Assert.Contains(expected, Assert.Throws<InvalidStudyException>(() => study.Enrol(name)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void KilledInTheMiddleOfALine_AsksThatAnswerAgain()
    {
        var study = SmallStudy.Make(_folder);
        study.Read("r1", _ => 4, most: 5);
        var path = Path.Combine(study.Folder, "sessions", "r1-1.jsonl");
        var whole = File.ReadAllBytes(path);
        var due = study.Open("r1").Next!;
        study.Open("r1").Record(study.Answer(due, _ => 2));
        var longer = File.ReadAllBytes(path);
        for (var length = whole.Length; length < longer.Length; length += 17)
        {
            File.WriteAllBytes(path, longer[..length]);
            var reading = study.Open("r1");
            Assert.Equal((due.Item, length > whole.Length), (reading.Next!.Item, reading.LostAnAnswer));
        }
        Assert.Contains("cut off",
            Assert.Single(StudyChecker.Check(study.Folder).Findings,
            f => f.Message.Contains("r1-1", StringComparison.Ordinal)).Message, StringComparison.Ordinal);
        var again = study.Open("r1");
        again.Record(study.Answer(due, _ => 2));
        Assert.Equal(6, study.Open("r1").Answered);
        Assert.False(StudyChecker.Check(study.Folder).HasErrors);
    }

    [Fact]
    public void AnswerWhileSomeoneLooks_IsKept()
    {
        var study = SmallStudy.Make(_folder);
        study.Read("r1", _ => 4, most: 2);
        var reading = study.Open("r1");
        var looking = new FileStream(Path.Combine(study.Folder, "sessions", "r1-1.jsonl"), FileMode.Open, FileAccess.Read,
            FileShare.Read);
        using var leaves = new Timer(_ => looking.Dispose(), null, 150, Timeout.Infinite);
        reading.Record(study.Answer(reading.Next!, _ => 4));
        Assert.Equal(3, study.Open("r1").Answered);
    }

    [Fact]
    public void TwoPagesOfOneReader_DoNotMixTheirAnswers()
    {
        var study = SmallStudy.Make(_folder);
        study.Enrol("r1");
        var (one, two) = (study.Open("r1"), study.Open("r1"));
        var answer = study.Answer(one.Next!, _ => 4);
        one.Record(answer);
        Assert.Contains("another page", Assert.Throws<InvalidStudyException>(() => two.Record(answer)).Message,
            StringComparison.Ordinal);
        Assert.Equal(1, study.Open("r1").Answered);
    }

    [Theory]
    [InlineData("change")]
    [InlineData("remove")]
    [InlineData("swap")]
    [InlineData("add")]
    [InlineData("first")]
    public void BrokenChain_IsNamedLineByLine(string what)
    {
        var study = SmallStudy.Make(_folder);
        study.Read("r1", _ => 4, most: 9);
        var path = Path.Combine(study.Folder, "sessions", "r1-1.jsonl");
        var lines = File.ReadAllLines(path).ToList();
        if (what == "change") lines[4] = lines[4].Replace("\"ms\":4000", "\"ms\":4001", StringComparison.Ordinal);
        if (what == "remove") lines.RemoveAt(4);
        if (what == "swap") (lines[4], lines[5]) = (lines[5], lines[4]);
        if (what == "add") lines.Insert(5, lines[4]);
        if (what == "first") lines.RemoveAt(0);
        File.WriteAllText(path, string.Join('\n', lines) + "\n");
        var fault = Assert.Throws<InvalidStudyException>(() => study.Open("r1")).Message;
        var line = what switch { "first" => 1, "swap" or "remove" => 5, _ => 6 };
        Assert.Contains($"r1-1.jsonl, line {line}: the chain is broken", fault, StringComparison.Ordinal);
        Assert.Single(fault.Split('\n'));
        Assert.Equal(fault, Assert.Single(StudyChecker.Check(study.Folder).Findings, f => f.IsError).Message);
    }

    [Fact]
    public void GarbageInALine_IsNamed()
    {
        var study = SmallStudy.Make(_folder);
        study.Read("r1", _ => 4, most: 3);
        File.AppendAllText(Path.Combine(study.Folder, "sessions", "r1-1.jsonl"), "what?\n");
        Assert.Contains("line 5: not a line of a session", Assert.Throws<InvalidStudyException>(() => study.Open("r1")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void EditedStudy_IsRefusedFromTheFirstAnswerOn()
    {
        var study = SmallStudy.Make(_folder);
        var path = Path.Combine(study.Folder, "study.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"margin\": 0.1", "\"margin\": 0.15", StringComparison.Ordinal));
        study.Read("r1", _ => 4, most: 2); // nobody had answered: it may still change
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"margin\": 0.15", "\"margin\": 0.2", StringComparison.Ordinal));
        var fault = Assert.Throws<InvalidStudyException>(() => study.Open("r1")).Message;
        Assert.StartsWith("study.json was changed after the first answer", fault, StringComparison.Ordinal);
        Assert.Single(fault.Split('\n'));
        Assert.True(StudyChecker.Check(study.Folder).HasErrors);
    }

    [Fact]
    public void ItemThatLeadsOutOfTheFolder_IsRefused()
    {
        var study = SmallStudy.Make(_folder);
        var (items, file) = (Path.Combine(study.Folder, "items.jsonl"), Path.Combine(study.Folder, "study.json"));
        var old = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(items)));
        var first = StudyFolder.Open(study.Folder).Items[0].Id;
        File.WriteAllText(items, File.ReadAllText(items).Replace(first, "../../../etc/passwd", StringComparison.Ordinal));
        var changed = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(items)));
        File.WriteAllText(file, File.ReadAllText(file).Replace(old, changed, StringComparison.Ordinal));
        Assert.Contains("names an image '../../../etc/passwd'",
            Assert.Throws<InvalidStudyException>(() => study.Enrol("r1")).Message,
            StringComparison.Ordinal);
    }

    [Fact] // whatever one byte becomes: a clear line, an answer asked again, or (in the last line) an answer that still fits
    public void DamagedSessions_AreNeverReadAsSomethingElse()
    {
        var study = SmallStudy.Make(_folder);
        study.Read("r1", _ => 4, most: 6);
        var path = Path.Combine(study.Folder, "sessions", "r1-1.jsonl");
        var whole = File.ReadAllBytes(path);
        var lastLine = Array.LastIndexOf(whole, (byte)'\n', whole.Length - 2);
        var random = new Seed(4).Random();
        for (var n = 0; n < 400; n++)
        {
            var damaged = whole.ToArray();
            var at = random.Next(damaged.Length);
            damaged[at] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(path, damaged);
            try
            {
                var answered = study.Open("r1").Answered;
                Assert.True(at > lastLine, $"bit of byte {at} changed, and {answered} answers were read as if nothing had been.");
            }
            catch (InvalidStudyException e)
            {
                Assert.Contains("r1-1.jsonl", e.Message, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("items.jsonl")]
    [InlineData("key.jsonl")]
    public void ExchangedLists_AreNoticed(string name)
    {
        var study = SmallStudy.Make(_folder);
        var path = Path.Combine(study.Folder, name);
        File.WriteAllLines(path, File.ReadAllLines(path).Reverse());
        var fault = name == "items.jsonl"
            ? Assert.Throws<InvalidStudyException>(() => study.Enrol("r1")).Message
            : StudyChecker.Check(study.Folder).Findings.First(f => f.IsError).Message;
        Assert.Contains($"{name}: this is not the file that the study was made with", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void SecondSession_WaitsForTheFirst_AndForItsDays()
    {
        var study = SmallStudy.Make(_folder);
        study.Read("r1", _ => 4, most: 3);
        Assert.Contains("has not finished session 1", Assert.Throws<InvalidStudyException>(() => study.Open("r1", 2)).Message,
            StringComparison.Ordinal);
        var reading = study.Open("r1");
        while (reading.Next is { } due) reading.Record(study.Answer(due, _ => 4));
        study.Time.Now = study.Time.Now.AddDays(13);
        Assert.Contains("14 days after", Assert.Throws<InvalidStudyException>(() => study.Open("r1", 2)).Message,
            StringComparison.Ordinal);
        study.Time.Now = study.Time.Now.AddDays(2);
        study.Read("r1", _ => 4, session: 2);
        Assert.Equal([(1, 38), (2, 38)], StudyChecker.Check(study.Folder).Readers.Select(r => (r.Session, r.Answered)));
    }
}
