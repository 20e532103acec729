using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Imaging;
using Siamorph.Study;
using Siamorph.Tests.Imaging;

namespace Siamorph.Tests.Study;

/// <summary>A study of tiny images made in code, and readers who answer it.</summary>
internal sealed class SmallStudy
{
    public const string Consent = StudyTexts.Consent;

    public SmallStudy(TemporaryFolder folder) => Folder = folder["study"];

    public string Folder { get; }

    public static StudyOptions Options { get; } = new() { Images = 6, Readers = 4, OutlineImages = 2, RepeatShare = 0.25,
        CatchItems = 2, Practice = 4 };

    /// <summary>Time that moves only when told to.</summary>
    public Clock Time { get; } = new();

    /// <summary>Pairs with lesions of many sizes; every pair a patient of its own, the first two ones together.</summary>
    public static Dataset Pairs(string folder, bool synthetic, int count, int side = 32)
    {
        var pairs = new List<ImageMaskPair>();
        for (var i = 0; i < count; i++)
        {
            var pair = new ImageMaskPair
            {
                Id = $"{(synthetic ? "made" : "case")}-{i:00}",
                ImagePath = Path.Combine(folder, "images", $"{i:00}.png"),
                MaskPath = Path.Combine(folder, "masks", $"{i:00}.png"),
                Source = synthetic ? PairSource.Synthetic : PairSource.Real,
                Split = synthetic ? null : "test",
                Group = synthetic ? null : $"patient-{Math.Max(1, i)}",
                Origin = synthetic ? new SyntheticOrigin("abc123", (ulong)i, "ddim", 30, 1, $"train-{i:00}") : null,
            };
            ImageFile.WritePng(pair.ImagePath, Pictures.Image(100 * (synthetic ? 1 : 2) + i, side, side));
            ImageFile.WriteMaskPng(pair.MaskPath, Pictures.Disc(side, side, 0.1 + 0.3 * (i + (synthetic ? 0.5 : 0)) / count));
            pairs.Add(pair);
        }
        DatasetFolder.WriteManifest(folder, pairs);
        return DatasetFolder.Read(folder);
    }

    /// <summary>Makes the study by the library; the usual one is made once and copied.</summary>
    public static SmallStudy Make(TemporaryFolder folder, StudyOptions? options = null)
    {
        if (options is null) CopyAll(Template.Value.Path, folder.Path);
        else Build(folder, options);
        return new SmallStudy(folder);
    }

    private static readonly Lazy<TemporaryFolder> Template = new(() =>
    {
        var folder = new TemporaryFolder();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => folder.Dispose();
        Build(folder, Options);
        return folder;
    });

    private static void Build(TemporaryFolder folder, StudyOptions options)
    {
        var (real, synthetic) = (Pairs(folder["real"], false, 16), Pairs(folder["synthetic"], true, 16));
        StudyMaker.Make(real, synthetic, folder["study"], options, null, NullMonitor.Instance);
    }

    private static void CopyAll(string from, string to)
    {
        foreach (var folder in Directory.EnumerateDirectories(from, "*", SearchOption.AllDirectories))
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
            File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
    }

    public void Enrol(string reader, string specialty = "gastroenterology") =>
        ReadingSession.Enrol(Folder,
            new ReaderProfile { Reader = reader, Consent = Consent, Specialty = specialty, Years = 7,
            Display = new ReaderDisplay { Width = 1920, Height = 1080 } }, Time);

    public ReadingSession Open(string reader, int session = 1) => ReadingSession.Open(Folder, reader, session, Time);

    /// <summary>Enrols a reader who answers everything: realism as <paramref name="realism"/> says of each item.</summary>
    public void Read(string reader, Func<string, int> realism, int session = 1, int most = int.MaxValue,
        string specialty = "gastroenterology")
    {
        if (session == 1) Enrol(reader, specialty);
        var reading = Open(reader, session);
        for (var i = 0; i < most && reading.Next is { } due; i++) reading.Record(Answer(due, realism));
    }

    public ReadingAnswer Answer(ReadingTask due, Func<string, int> realism)
    {
        Time.Now = Time.Now.AddSeconds(5);
        var answer = new ReadingAnswer { Item = due.Item, Shown = Time.Now, Milliseconds = 4000, HiddenMilliseconds = 500 };
        return due.Block switch
        {
            StudyBlock.Quality => answer with { Quality = 3 + due.Item[0] % 3, Shape = 2 + due.Item[1] % 3 },
            StudyBlock.Realism => answer with { Realism = realism(due.Item) },
            _ => answer with { Outline = Pictures.Disc(32, 32, 0.2 + due.Item[0] % 4 / 40.0) },
        };
    }

    /// <summary>The key, which a reading page never sees.</summary>
    public IReadOnlyDictionary<string, StudyKey> Key => StudyFolder.Open(Folder).ReadKey();

    /// <summary>Knows the key: right about everything.</summary>
    public Func<string, int> Expert()
    {
        var key = Key;
        return item => key[item].Kind == StudyKind.Real ? 1 : 6;
    }

    /// <summary>Looks, but sees no difference: cut images are noticed, all else is a coin.</summary>
    public Func<string, int> Guesser(ulong seed)
    {
        var (key, own) = (Key, new Seed(seed));
        return item => key[item].Kind == StudyKind.Catch ? 6 : 1 + own.Derive(key[item].Repeats ?? item).Random().Next(6);
    }

    public sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 3, 1, 9, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
