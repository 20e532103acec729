using Siamorph.Data;
using Siamorph.Training;

namespace Siamorph.Study;

/// <summary>Something wrong or odd in a study.</summary>
/// <param name="IsError">Nothing may be evaluated until it is mended.</param>
/// <param name="Message">What, where, and what to do.</param>
internal sealed record StudyFinding(bool IsError, string Message);

/// <summary>How far a reader is.</summary>
/// <param name="Reader">Pseudonym.</param>
/// <param name="Session">Which session; 0 where none was begun.</param>
/// <param name="Answered">Answers given in it.</param>
/// <param name="Total">Answers it takes.</param>
/// <param name="Withdrawn">All answers are left out.</param>
internal sealed record ReaderProgress(string Reader, int Session, int Answered, int Total, bool Withdrawn);

/// <summary>What a look at a study found. It tells nothing of what was answered.</summary>
internal sealed record StudyCheck
{
    /// <summary>What is wrong or odd.</summary>
    public required IReadOnlyList<StudyFinding> Findings { get; init; }

    /// <summary>How far readers are, a session each.</summary>
    public required IReadOnlyList<ReaderProgress> Readers { get; init; }

    /// <summary>Images of both kinds together.</summary>
    public required int Images { get; init; }

    /// <summary>Readers that were planned.</summary>
    public required int PlannedReaders { get; init; }

    /// <summary>Whether the key may be used.</summary>
    public required bool Unsealed { get; init; }

    /// <summary>Whether anything keeps the study from being evaluated.</summary>
    public bool HasErrors => Findings.Any(f => f.IsError);

    internal void DemandNoErrors()
    {
        if (!HasErrors) return;
        throw new InvalidStudyException(string.Join(Environment.NewLine, Findings.Where(f => f.IsError).Select(f => f.Message)));
    }
}

/// <summary>Looks whether a study's files are what they were, down to every answer.</summary>
internal static class StudyChecker
{
    private const int FewReaders = 8, FewImages = 100;

    /// <summary>Checks a study.</summary>
    /// <exception cref="SiamorphException">There is no study, or its list of items is not the one it was made with.</exception>
    public static StudyCheck Check(string folder)
    {
        var study = StudyFolder.Open(folder);
        var findings = new List<StudyFinding>();
        void Error(string message) => findings.Add(new(true, message));
        void Warn(string message) => findings.Add(new(false, message));

        Try(() => study.ReadKey(), Error);
        CheckFiles(study, Error, Warn);
        var readers = new List<ReaderProgress>();
        foreach (var reader in study.Readers()) readers.AddRange(CheckReader(study, reader, Error, Warn));
        if (study.IsUnsealed) Try(() => Unsealing.Demand(study), Error);
        if (study.WasSealedAgain)
            Error($"{study.UnsealedPath}: is missing, though {StudyFolder.ResultName} is there: the key was opened before. Put "
                + $"it back.");
        var options = study.File.Options;
        if (options.Readers < FewReaders || 2 * options.Images < FewImages)
            Warn($"{options.Readers} readers and {2 * options.Images} images may be too few: five readers of 60 images gave a "
                + $"standard "
                + $"error of 5.6 points in a simulation, too much to say \"no better than chance within 10 points\".");
        return new StudyCheck
        {
            Findings = findings, Readers = readers, Images = 2 * options.Images, PlannedReaders = options.Readers,
            Unsealed = study.IsUnsealed,
        };
    }

    private static void CheckFiles(StudyFolder study, Action<string> error, Action<string> warn)
    {
        var key = Path.Combine(study.Path, StudyFolder.KeyName);
        if (!OperatingSystem.IsWindows() && File.Exists(key)
            && (File.GetUnixFileMode(key) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite)) != 0)
            warn($"{key}: others may read the key. Take that right away: chmod 600.");
        foreach (var item in study.Items)
        {
            var path = study.ImagePath(item.Id);
            if (!File.Exists(path)) error($"{path}: this image of the study is missing. Restore it.");
            else if (ContentHash.OfFile(path) != item.Sha256)
                error($"{path}: this image has changed since the study was made. Restore the original.");
        }
        var sessions = Path.Combine(study.Path, "sessions");
        if (!Directory.Exists(sessions)) return;
        var known = study.Readers()
            .SelectMany(r => study.Sessions(r).Select(s => study.SessionPath(r, s))).ToHashSet(StringComparer.Ordinal);
        foreach (var stray in Directory.EnumerateFiles(sessions).Where(f => !known.Contains(f)).Order(StringComparer.Ordinal))
            error($"{stray}: belongs to no reader of this study, or an earlier session is missing. Put the other files back, or "
                + "remove it.");
    }

    private static List<ReaderProgress> CheckReader(StudyFolder study, string reader, Action<string> error, Action<string> warn)
    {
        var progress = new List<ReaderProgress>();
        var withdrawn = File.Exists(study.WithdrawnPath(reader));
        Try(() => OptionsFile.Load<EnrolledReader>(study.ReaderPath(reader)), error);
        foreach (var session in study.Sessions(reader))
        {
            Try(() =>
            {
                var log = SessionLog.Read(study, reader, session);
                var order = ReadingOrder.Of(study.Items, study.File.Options.Seed, reader, session);
                CheckSession(study, log, order, (reader, session), error);
                if (log.IsTorn)
                    warn($"{study.SessionPath(reader, session)}: the last line was cut off while it was written; that answer is "
                        + "asked again.");
                if (log.Lines.Count > 0 && log.Lines[0].Profile != ContentHash.OfFile(study.ReaderPath(reader)))
                    warn($"{study.ReaderPath(reader)}: the profile was changed after the first answer.");
                progress.Add(new(reader, session, log.Answers.Count(), order.Count, withdrawn));
            }, error);
        }
        return progress.Count > 0 || study.Sessions(reader).Any() ? progress
            : [new(reader, 0, 0, ReadingOrder.Of(study.Items, study.File.Options.Seed, reader, 1).Count, withdrawn)];
    }

    private static void CheckSession(
        StudyFolder study, SessionLog log, IReadOnlyList<(StudyItem Item, StudyBlock Block)> order,
        (string Reader, int Session) of, Action<string> error)
    {
        var path = study.SessionPath(of.Reader, of.Session);
        if (log.Lines.Count > 0 && (log.Lines[0].Reader != of.Reader || log.Lines[0].Session != of.Session))
            error($"{path}: this is session {log.Lines[0].Session} of {log.Lines[0].Reader}, under another name. Give it its own "
                + "name back.");
        foreach (var (line, i) in log.Answers.Select((l, i) => (l, i)))
        {
            if (i >= order.Count || line.Item != order[i].Item.Id || line.Block != order[i].Block)
                error($"{path}, line {i + 2}: answers {line.Item}, where {(i < order.Count ? order[i].Item.Id : "nothing more")} "
                    + "was due. Restore the file.");
            else if (!IsWhole(line)) error($"{path}, line {i + 2}: the answer is missing or out of range. Restore the file.");
            else if (line.Outline is { } hash && study.OutlinePath(of.Reader, of.Session, line.Item) is var outline
                && (!File.Exists(outline) || ContentHash.OfFile(outline) != hash))
                error($"{outline}: the outline is missing, or not the one that was drawn. Restore it.");
        }
    }

    private static bool IsWhole(SessionLine line) => line.Block switch
    {
        StudyBlock.Quality => line is { Quality: >= 1 and <= 5, Shape: >= 1 and <= 5 },
        StudyBlock.Realism => line.Realism is >= 1 and <= 6,
        _ => line.Outline is not null,
    };

    private static void Try(Action action, Action<string> error)
    {
        try
        {
            action();
        }
        catch (SiamorphException e)
        {
            error(e.Message);
        }
    }
}
