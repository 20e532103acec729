using Siamorph.Imaging;
using Siamorph.Studio.Security;
using Siamorph.Study;

namespace Siamorph.Studio.Reading;

/// <summary>Where a reader is.</summary>
internal enum ReadingPlace
{
    /// <summary>Has not agreed yet.</summary>
    Consent,

    /// <summary>Answers questions.</summary>
    Questions,

    /// <summary>Has answered all there is for now.</summary>
    Finished,

    /// <summary>Has withdrawn.</summary>
    Withdrawn,

    /// <summary>The study takes no more answers.</summary>
    Closed,
}

/// <summary>What the page asks next.</summary>
/// <param name="Item">Random name of the image.</param>
/// <param name="Block">quality, realism or outline.</param>
/// <param name="Practice">It counts for nothing.</param>
/// <param name="Number">From 1.</param>
/// <param name="Total">In all.</param>
/// <param name="Question">In words.</param>
internal sealed record ReadingCard(string Item, string Block, bool Practice, int Number, int Total, string Question);

/// <summary>An answer as the page sends it.</summary>
internal sealed record AnswerForm(
    string Item, int? Quality, int? Shape, int? Realism, byte[]? Outline, DateTimeOffset Shown, long Milliseconds,
    long HiddenMilliseconds, double Zoom);

/// <summary>
/// A reader's own view of a study. All of it is in the study's folder, so a server that was killed forgets nothing; the key is
/// never opened.
/// </summary>
internal sealed class ReadingService(RootFolder root, ReaderLinks links)
{
    /// <summary>Where the holder of a link is.</summary>
    public ReadingPlace PlaceOf(ReaderLink link)
    {
        var (folder, reader) = (FolderOf(link), ReaderOf(link));
        var study = StudyFolder.Open(folder);
        if (study.IsUnsealed || study.WasSealedAgain) return ReadingPlace.Closed;
        if (reader is null) return ReadingPlace.Consent;
        if (File.Exists(study.WithdrawnPath(reader))) return ReadingPlace.Withdrawn;
        return Open(folder, reader, out _) is { Next: not null } ? ReadingPlace.Questions : ReadingPlace.Finished;
    }

    public StudyFile Study(ReaderLink link) => StudyFolder.Open(FolderOf(link)).File;

    /// <summary>Why another session can't begin yet; null where it has begun.</summary>
    public string? Later(ReaderLink link)
    {
        Open(FolderOf(link), ReaderOf(link)!, out var later);
        return later;
    }

    /// <summary>Takes the holder of a link in.</summary>
    /// <exception cref="InvalidStudyException">The pseudonym is none or taken.</exception>
    public void Enrol(ReaderLink link, ReaderProfile profile)
    {
        if (ReaderOf(link) is not null) throw new InvalidStudyException("You take part already. Load the page again.");
        ReadingSession.Enrol(FolderOf(link), profile);
        links.Enrolled(link.Id, profile.Reader);
    }

    public void Withdraw(ReaderLink link) => ReadingSession.Withdraw(FolderOf(link), Reader(link));

    /// <summary>What is asked next; null where nothing is.</summary>
    public ReadingCard? Next(ReaderLink link) => Card(Open(FolderOf(link), Reader(link), out _)?.Next);

    /// <summary>The image that is asked about now, and no other one.</summary>
    public byte[] Picture(ReaderLink link, string item)
    {
        var due = Open(FolderOf(link), Reader(link), out _)?.Next;
        return due?.Item == item ? root.ReadBytes(due.ImagePath)
            : throw new StudioException(404, "This image is not asked about now.");
    }

    /// <summary>Keeps an answer, which is on the disk when this returns, and tells what comes next.</summary>
    /// <exception cref="InvalidStudyException">Not the item that was due, or an answer that does not fit.</exception>
    public ReadingCard? Answer(ReaderLink link, AnswerForm form)
    {
        var (folder, reader) = (FolderOf(link), Reader(link));
        var session = Open(folder, reader, out var later)
            ?? throw new InvalidStudyException(later ?? "There is nothing to answer now.");
        session.Record(new ReadingAnswer
        {
            Item = form.Item, Quality = form.Quality, Shape = form.Shape, Realism = form.Realism, Shown = form.Shown,
            Milliseconds = form.Milliseconds,
            HiddenMilliseconds = form.HiddenMilliseconds, Zoom = form.Zoom, Outline = form.Outline is { } bits
                ? PackedMask.Unpack(bits, Study(link).Size) : null,
        });
        return Card(session.Next);
    }

    private string FolderOf(ReaderLink link) => root.Resolve(link.Study);

    // As the file has it now, not as it was when the browser entered.
    private string? ReaderOf(ReaderLink link) => links.Find(link.Id)?.Reader;

    private string Reader(ReaderLink link) => ReaderOf(link)
        ?? throw new InvalidStudyException("Agree to take part first. Load the page again.");

    // The first session that is not finished; a later one only from its day on.
    private static ReadingSession? Open(string folder, string reader, out string? later)
    {
        later = null;
        var begun = StudyFolder.Open(folder).Sessions(reader).DefaultIfEmpty(1).Max();
        var current = ReadingSession.Open(folder, reader, begun);
        if (current.Next is not null) return current;
        try
        {
            return ReadingSession.Open(folder, reader, begun + 1);
        }
        catch (InvalidStudyException e)
        {
            later = e.Message;
            return null;
        }
    }

    private static ReadingCard? Card(ReadingTask? task) => task is null ? null
        : new(task.Item, task.Block.ToString().ToLowerInvariant(), task.Practice, task.Number, task.Total, task.Block switch
    {
        StudyBlock.Quality => StudyTexts.Quality,
        StudyBlock.Realism => StudyTexts.Realism,
        _ => StudyTexts.Outline,
    });
}
