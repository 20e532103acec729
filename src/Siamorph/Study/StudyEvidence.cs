using Siamorph.Imaging;
using Siamorph.Training;

namespace Siamorph.Study;

/// <summary>A reader's answers.</summary>
internal sealed class ReaderEvidence(EnrolledReader profile, bool withdrawn,
    IReadOnlyList<IReadOnlyDictionary<(StudyBlock, string), SessionLine>> sessions)
{
    public EnrolledReader Profile => profile;

    public bool Withdrawn => withdrawn;

    public int Sessions => sessions.Count;

    /// <summary>The answer of a session (from 1), or null.</summary>
    public SessionLine? Answer(StudyBlock block, string item, int session = 1) =>
        session <= sessions.Count ? sessions[session - 1].GetValueOrDefault((block, item)) : null;

    public bool Finished(StudyBlock block, IEnumerable<string> items) => items.All(i => Answer(block, i) is not null);
}

/// <summary>Everything an unsealed study holds, joined with its key.</summary>
internal sealed class StudyEvidence
{
    private StudyEvidence(StudyFolder study, UnsealedFile unsealed) =>
        (Study, Unsealed, Key) = (study, unsealed, study.ReadKey());

    public StudyFolder Study { get; }

    public UnsealedFile Unsealed { get; }

    public IReadOnlyDictionary<string, StudyKey> Key { get; }

    public required IReadOnlyList<ReaderEvidence> Readers { get; init; }

    /// <summary>Reads a study that may be evaluated.</summary>
    /// <exception cref="InvalidStudyException">It is sealed, or something in it is wrong.</exception>
    public static StudyEvidence Read(string folder)
    {
        var study = StudyFolder.Open(folder);
        var unsealed = Unsealing.Demand(study);
        var check = StudyChecker.Check(folder);
        check.DemandNoErrors();
        return new(study, unsealed)
        {
            Readers = [.. study.Readers().Select(r => new ReaderEvidence(
                OptionsFile.Load<EnrolledReader>(study.ReaderPath(r)), File.Exists(study.WithdrawnPath(r)),
                [.. study.Sessions(r).Select(s => Answers(study, r, s))]))],
        };
    }

    /// <summary>The images of a block that count: no practice, no repeats, nothing cut to pieces.</summary>
    public IReadOnlyList<string> Items(StudyBlock block) => [.. Study.Items
        .Where(i => i.Blocks.Contains(block) && !i.Practice && i.Repeats is null && Key[i.Id].Kind != StudyKind.Catch)
            .Select(i => i.Id)];

    public IReadOnlyList<string> CatchItems => [.. Study.Items.Where(i => Key[i.Id].Kind == StudyKind.Catch).Select(i => i.Id)];

    public IReadOnlyList<StudyItem> Repeats => [.. Study.Items.Where(i => i.Repeats is not null)];

    public bool IsSynthetic(string item) => Key[item].Kind == StudyKind.Synthetic;

    public LabelMap Mask(string item) => ImageFile.DecodeMaskPng($"{StudyFolder.KeyName}: {item}", Key[item].Mask!);

    public LabelMap Outline(string reader, string item) => ImageFile.ReadMask(Study.OutlinePath(reader, 1, item));

    private static Dictionary<(StudyBlock, string), SessionLine> Answers(StudyFolder study, string reader, int session) =>
        SessionLog.Read(study, reader, session).Answers.ToDictionary(l => (l.Block!.Value, l.Item!));
}
