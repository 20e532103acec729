using System.Globalization;
using System.Text;

namespace Siamorph.Study;

/// <summary>
/// Writes answers in the input layout of the FDA's iMRMC, so that another program can compute the same: a line each for truth
/// (reader −1, modality 0) and answers (reader, case, modality, score).
/// </summary>
internal static class ImrmcExport
{
    private const string Modality = "realism";

    /// <summary>
    /// Writes realism.imrmc (answers 1 to 6) and decisions.imrmc (0 or 1, whose area under the curve is the accuracy).
    /// </summary>
    /// <param name="folder">An unsealed study.</param>
    /// <param name="outFolder">Where to write.</param>
    /// <returns>Full paths of the files.</returns>
    /// <exception cref="SiamorphException">The study is sealed or damaged, or the folder can't be written.</exception>
    public static IReadOnlyList<string> Write(string folder, string outFolder)
    {
        var evidence = StudyEvidence.Read(folder);
        var items = evidence.Items(StudyBlock.Realism);
        var readers = evidence.Readers.Where(r => ReaderStatistics.Of(evidence, r).LeftOut is null).ToList();
        if (readers.Count == 0) throw new InvalidStudyException($"{folder}: no reader counts; \"study report\" says why.");
        string[] paths = [Path.Combine(Path.GetFullPath(outFolder), "realism.imrmc"),
            Path.Combine(Path.GetFullPath(outFolder), "decisions.imrmc")];
        AtomicFile.WriteText(paths[0],
            Text(evidence, readers, items, "answers 1 (definitely real) to 6 (definitely synthetic)", a => a));
        AtomicFile.WriteText(paths[1],
            Text(evidence, readers, items, "decisions, 1 is synthetic; the area under the curve is the accuracy",
            a => a > RealismStatistics.LastReal ? 1 : 0));
        return paths;
    }

    private static string Text(StudyEvidence evidence, List<ReaderEvidence> readers, IReadOnlyList<string> items, string title,
        Func<int, int> score)
    {
        var synthetic = items.Count(evidence.IsSynthetic);
        var text = new StringBuilder();
        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

        Line($"Reader study {evidence.Study.Hash[..12]}: {title}");
        Line($"N0: {items.Count - synthetic}");
        Line($"N1: {synthetic}");
        Line($"NR: {readers.Count}");
        Line($"NM: 1");
        Line($"BEGIN DATA:");
        foreach (var item in items) Line($"-1,{item},0,{(evidence.IsSynthetic(item) ? 1 : 0)}");
        foreach (var reader in readers)
            foreach (var item in items)
            {
                var answer = reader.Answer(StudyBlock.Realism, item)!.Realism!.Value;
                Line($"{reader.Profile.Reader},{item},{Modality},{score(answer)}");
            }
        return text.ToString();
    }
}
