using Siamorph.Study;
using Siamorph.Training;

namespace Siamorph.Reports;

/// <summary>
/// The reader studies that an experiment's report speaks of: reader-studies.json in the experiment's folder names their folders.
/// </summary>
internal static class LinkedStudies
{
    public const string FileName = "reader-studies.json";

    /// <summary>Keeps a study for this and all later reports of an experiment; naming it twice changes nothing.</summary>
    /// <param name="experiment">Folder of the experiment.</param>
    /// <param name="study">Folder of an evaluated study.</param>
    /// <exception cref="SiamorphException">There is no study, or it has no report yet.</exception>
    public static void Add(string experiment, string study)
    {
        if (ResultOf(StudyFolder.Open(study)) is null)
            throw new SiamorphException($"{study}: the study has no report yet. Run \"siamorph study report {study}\" first.");
        var seen = Path.GetRelativePath(Path.GetFullPath(experiment), Path.GetFullPath(study)).Replace('\\', '/');
        var kept = Names(experiment);
        if (kept.Contains(seen)) return;
        AtomicFile.WriteText(Path.Combine(experiment, FileName),
            OptionsFile.ToJson(new LinkedStudyNames([.. kept, seen])) + "\n");
    }

    /// <summary>The studies in the order in which they were named. One that has gone since has no result.</summary>
    public static IReadOnlyList<LinkedStudy> Of(string experiment) =>
        [.. Names(experiment).Select(name => new LinkedStudy(name, Result(experiment, name)))];

    /// <summary>Their folders, full paths; whether they are still there is not asked.</summary>
    public static IReadOnlyList<string> FoldersOf(string experiment) =>
        [.. Names(experiment).Select(n => Path.GetFullPath(Path.Combine(experiment, n)))];

    private static IReadOnlyList<string> Names(string experiment)
    {
        var file = Path.Combine(experiment, FileName);
        return File.Exists(file) ? OptionsFile.Load<LinkedStudyNames>(file).Studies : [];
    }

    private static StudyResult? Result(string experiment, string name)
    {
        try
        {
            return ResultOf(StudyFolder.Open(Path.Combine(experiment, name)));
        }
        catch (InvalidStudyException)
        {
            return null;
        }
    }

    private static StudyResult? ResultOf(StudyFolder study)
    {
        var file = Path.Combine(study.Path, StudyFolder.ResultName);
        return study.IsUnsealed && File.Exists(file) ? OptionsFile.LoadRecorded<StudyResult>(file) : null;
    }
}

/// <summary>What reader-studies.json holds.</summary>
/// <param name="Studies">Folders of studies, as seen from the experiment's folder.</param>
internal sealed record LinkedStudyNames(IReadOnlyList<string> Studies);

/// <summary>A study that belongs to an experiment.</summary>
/// <param name="Name">Its folder, as seen from the experiment's folder.</param>
/// <param name="Result">What it found; null where it can't be read any more.</param>
internal sealed record LinkedStudy(string Name, StudyResult? Result);
