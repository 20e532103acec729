using Siamorph.Data;
using Siamorph.Imaging;
using Siamorph.Training;

namespace Siamorph.Study;

/// <summary>What a reader is asked next.</summary>
/// <param name="Item">Random name of the image.</param>
/// <param name="ImagePath">Its file.</param>
/// <param name="Block">What is asked.</param>
/// <param name="Practice">For practice; the answer counts for nothing. No feedback is given either way.</param>
/// <param name="Number">Place in the session, from 1.</param>
/// <param name="Total">Images in the session.</param>
internal sealed record ReadingTask(string Item, string ImagePath, StudyBlock Block, bool Practice, int Number, int Total);

/// <summary>An answer to a <see cref="ReadingTask"/>: of the fields about the image, those of its block.</summary>
internal sealed record ReadingAnswer
{
    /// <summary>The item that was due.</summary>
    public required string Item { get; init; }

    /// <summary>Image quality, 1 to 5 (<see cref="StudyTexts.QualityScale"/>).</summary>
    public int? Quality { get; init; }

    /// <summary>Plausibility of the lesion's shape, 1 to 5.</summary>
    public int? Shape { get; init; }

    /// <summary>From 1, definitely real, to 6, definitely synthetic.</summary>
    public int? Realism { get; init; }

    /// <summary>The lesion, at the image's size.</summary>
    public LabelMap? Outline { get; init; }

    /// <summary>When the image appeared.</summary>
    public required DateTimeOffset Shown { get; init; }

    /// <summary>Milliseconds from then to the answer.</summary>
    public required long Milliseconds { get; init; }

    /// <summary>How many of them the page was hidden or paused.</summary>
    public long HiddenMilliseconds { get; init; }

    /// <summary>Zoom of the page; 1 is none.</summary>
    public double Zoom { get; init; } = 1;
}

/// <summary>
/// A reader at work: <see cref="Next"/> says what to show, <see cref="Record"/> keeps the answer. All of it is in files, so a
/// page that is loaded again goes on at the same image. Nothing here opens the key.
/// </summary>
internal sealed class ReadingSession
{
    private readonly StudyFolder _study;
    private readonly SessionLog _log;
    private readonly IReadOnlyList<(StudyItem Item, StudyBlock Block)> _order;
    private readonly TimeProvider _clock;
    private readonly string _reader;
    private readonly int _session;

    private ReadingSession(StudyFolder study, string reader, int session, TimeProvider clock)
    {
        (_study, _reader, _session, _clock) = (study, reader, session, clock);
        _log = SessionLog.Read(study, reader, session);
        _order = ReadingOrder.Of(study.Items, study.File.Options.Seed, reader, session);
    }

    /// <summary>The text that readers agree to.</summary>
    /// <exception cref="InvalidStudyException">There is no study.</exception>
    public static string ConsentText(string folder) => StudyFolder.Open(folder).File.Consent;

    /// <summary>Takes a reader in.</summary>
    /// <exception cref="InvalidStudyException">No pseudonym, one that is taken, another text of consent, or the study is
    /// unsealed.</exception>
    public static void Enrol(string folder, ReaderProfile profile, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(profile);
        var study = StudyFolder.Open(folder);
        RefuseUnsealed(study);
        var path = study.ReaderPath(profile.Reader);
        if (File.Exists(path))
            throw new InvalidStudyException($"'{profile.Reader}' already takes part. Choose another pseudonym.");
        if (profile.Consent != study.File.Consent)
            throw new InvalidStudyException("The consent text is not the one of this study. Show it again.");
        OptionsFile.Save(path, new EnrolledReader(profile.Reader, (clock ?? TimeProvider.System).GetUtcNow(),
            ContentHash.Of(profile.Consent), profile.Specialty, profile.Years, profile.Display));
    }

    /// <summary>Leaves out all answers of a reader from now on.</summary>
    /// <exception cref="InvalidStudyException">Nobody of that name takes part.</exception>
    public static void Withdraw(string folder, string reader, TimeProvider? clock = null)
    {
        var study = StudyFolder.Open(folder);
        RefuseUnknown(study, reader);
        AtomicFile.WriteText(study.WithdrawnPath(reader), $"{(clock ?? TimeProvider.System).GetUtcNow():O}\n");
    }

    /// <summary>Goes on with a session, or begins it.</summary>
    /// <param name="folder">Folder of the study.</param>
    /// <param name="reader">Pseudonym of an enrolled reader.</param>
    /// <param name="session">1, or a later one that repeats everything in another order.</param>
    /// <param name="clock">The time; null for the machine's.</param>
    /// <exception cref="InvalidStudyException">
    /// Not enrolled, withdrawn, too early for a later session, files that were changed, or an unsealed study.
    /// </exception>
    public static ReadingSession Open(string folder, string reader, int session = 1, TimeProvider? clock = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(session, 1);
        var study = StudyFolder.Open(folder);
        RefuseUnsealed(study);
        RefuseUnknown(study, reader);
        if (File.Exists(study.WithdrawnPath(reader)))
            throw new InvalidStudyException($"'{reader}' has withdrawn. Choose another reader.");
        var now = clock ?? TimeProvider.System;
        if (session > 1) RefuseTooEarly(study, reader, session, now);
        return new(study, reader, session, now);
    }

    /// <summary>Answers given so far.</summary>
    public int Answered => Math.Max(0, _log.Lines.Count - 1);

    /// <summary>Whether a process was killed while it wrote the last answer, which is asked again.</summary>
    public bool LostAnAnswer => _log.IsTorn;

    /// <summary>What to ask next; null when the session is finished.</summary>
    public ReadingTask? Next
    {
        get
        {
            if (Answered >= _order.Count) return null;
            var (item, block) = _order[Answered];
            return new(item.Id, _study.ImagePath(item.Id), block, item.Practice, Answered + 1, _order.Count);
        }
    }

    /// <summary>Keeps an answer; when this returns it is on the disk, and there is no way back.</summary>
    /// <exception cref="InvalidStudyException">Not the item that was due, or an answer that does not fit the
    /// question.</exception>
    public void Record(ReadingAnswer answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        RefuseUnsealed(_study);
        var due = Next ?? throw new InvalidStudyException($"'{_reader}' has finished this session.");
        if (answer.Item != due.Item)
            throw new InvalidStudyException($"The answer is about {answer.Item}, but {due.Item} was due. Load the page again.");
        if (Fault(answer, due.Block) is { } fault) throw new InvalidStudyException(fault);
        var line = new SessionLine
        {
            At = _clock.GetUtcNow(), Item = due.Item, Block = due.Block, Quality = answer.Quality, Shape = answer.Shape,
            Realism = answer.Realism,
            Outline = answer.Outline is { } outline ? Keep(outline, due.Item) : null,
            Shown = answer.Shown, Ms = answer.Milliseconds, HiddenMs = answer.HiddenMilliseconds, Zoom = answer.Zoom,
        };
        if (_log.Lines.Count > 0) _log.Append(line);
        else _log.Append(Beginning(), line);
    }

    private SessionLine Beginning() => new()
    {
        At = _clock.GetUtcNow(), Study = _study.Hash, Reader = _reader, Session = _session,
        Profile = ContentHash.OfFile(_study.ReaderPath(_reader)),
    };

    private string Keep(LabelMap outline, string item)
    {
        var path = _study.OutlinePath(_reader, _session, item);
        ImageFile.WriteMaskPng(path, outline);
        return ContentHash.OfFile(path);
    }

    private string? Fault(ReadingAnswer a, StudyBlock block)
    {
        var fits = block switch
        {
            StudyBlock.Quality => a is { Quality: >= 1 and <= 5, Shape: >= 1 and <= 5, Realism: null, Outline: null },
            StudyBlock.Realism => a is { Realism: >= 1 and <= 6, Quality: null, Shape: null, Outline: null },
            _ => a is { Outline: not null, Quality: null, Shape: null, Realism: null } && a.Outline.Size == _study.File.Size,
        };
        if (!fits)
            return block switch
            {
                StudyBlock.Quality => "This question asks for quality and shape, 1 to 5 each, and nothing else.",
                StudyBlock.Realism => "This question asks for realism, 1 to 6, and nothing else.",
                _ => $"This question asks for an outline of {_study.File.Size} pixels, and nothing else.",
            };
        if (a.Milliseconds < 0 || a.HiddenMilliseconds < 0 || a.HiddenMilliseconds > a.Milliseconds)
            return $"An image can't be shown for {a.Milliseconds} ms and hidden for {a.HiddenMilliseconds} of them.";
        return a.Zoom is > 0 and < 100 ? null : FormattableString.Invariant($"A zoom of {a.Zoom} can't be.");
    }

    private static void RefuseUnsealed(StudyFolder study)
    {
        if (study.IsUnsealed || study.WasSealedAgain)
            throw new InvalidStudyException($"{study.Path}: the study is unsealed; answers are no longer taken.");
    }

    private static void RefuseUnknown(StudyFolder study, string reader)
    {
        if (!File.Exists(study.ReaderPath(reader)))
            throw new InvalidStudyException($"'{reader}' does not take part in this study. Enrol first.");
    }

    private static void RefuseTooEarly(StudyFolder study, string reader, int session, TimeProvider clock)
    {
        var before = new ReadingSession(study, reader, session - 1, clock);
        if (before.Next is not null)
            throw new InvalidStudyException(
                $"'{reader}' has not finished session {session - 1}: {before.Answered} of {before._order.Count} answers.");
        var from = before._log.Lines[^1].At.AddDays(study.File.Options.DaysBetweenSessions);
        if (clock.GetUtcNow() < from && !File.Exists(study.SessionPath(reader, session)))
            throw new InvalidStudyException(
                FormattableString.Invariant($"'{reader}' may begin session {session} from {from:yyyy-MM-dd HH:mm} on, ")
                + $"{study.File.Options.DaysBetweenSessions} days after the last one.");
    }
}
