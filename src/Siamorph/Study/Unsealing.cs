using Siamorph.Training;

namespace Siamorph.Study;

/// <summary>unsealed.json: from when on the key may be used, and what had been answered by then.</summary>
internal sealed record UnsealedFile(DateTimeOffset At, string Study, IReadOnlyList<SealedSession> Sessions);

/// <summary>A session as it was when the study was unsealed.</summary>
internal sealed record SealedSession(string Reader, int Session, int Answers, string Head);

/// <summary>
/// Ends the collection of answers. Until then nothing is evaluated, so nobody stops because the numbers please; from then on no
/// answer is taken, and the hashes of the last lines show whether one was taken away.
/// </summary>
internal static class Unsealing
{
    /// <summary>Unseals a study; does nothing where that was done.</summary>
    /// <exception cref="SiamorphException">Something in the study is wrong, or nobody has finished a session.</exception>
    public static void Unseal(string folder, TimeProvider? clock = null)
    {
        var study = StudyFolder.Open(folder);
        if (study.IsUnsealed) return;
        var check = StudyChecker.Check(folder);
        check.DemandNoErrors();
        if (!study.Readers().Any(r => !File.Exists(study.WithdrawnPath(r)) && HasFinished(study, r)))
            throw new InvalidStudyException($"{folder}: no reader has finished the questions about realism, so unsealing would "
                + $"end "
                + "the study without an answer. \"study check\" shows how far readers are.");
        OptionsFile.Save(study.UnsealedPath,
            new UnsealedFile((clock ?? TimeProvider.System).GetUtcNow(), study.Hash, [.. Sessions(study)]));
    }

    /// <exception cref="InvalidStudyException">The study is sealed, or was changed after it was unsealed.</exception>
    internal static UnsealedFile Demand(StudyFolder study)
    {
        if (!study.IsUnsealed)
            throw new InvalidStudyException($"{study.Path}: the study is sealed. When all readers are done, end it with \"study "
                + $"report {study.Path} --unseal\"; from then on no answers are taken.");
        var file = OptionsFile.Load<UnsealedFile>(study.UnsealedPath);
        if (file.Study != study.Hash)
            throw new InvalidStudyException($"{StudyFolder.StudyName} was changed after the study was unsealed. Put the old file "
            + "back.");
        var now = Sessions(study).ToDictionary(s => (s.Reader, s.Session));
        foreach (var then in file.Sessions)
            if (!now.TryGetValue((then.Reader, then.Session), out var found) || found.Head != then.Head)
                throw new InvalidStudyException($"{study.SessionPath(then.Reader, then.Session)}: had {then.Answers} answers "
                    + "when the study was unsealed and was changed since. Restore the file.");
        if (now.Keys.Except(file.Sessions.Select(s => (s.Reader, s.Session))).FirstOrDefault() is { Reader: not null } added)
            throw new InvalidStudyException($"{study.SessionPath(added.Reader, added.Session)}: was added after the study was "
                + "unsealed. Remove it.");
        return file;
    }

    private static bool HasFinished(StudyFolder study, string reader)
    {
        var answered = SessionLog.Read(study, reader, 1).Answers.Where(l => l.Block == StudyBlock.Realism)
            .Select(l => l.Item).ToHashSet();
        return study.Items.Where(i => i.Blocks.Contains(StudyBlock.Realism)).All(i => answered.Contains(i.Id));
    }

    private static IEnumerable<SealedSession> Sessions(StudyFolder study) => study.Readers()
        .SelectMany(r => study.Sessions(r).Select(s =>
    {
        var log = SessionLog.Read(study, r, s);
        return new SealedSession(r, s, log.Answers.Count(), log.Head);
    }));
}
