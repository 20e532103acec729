using System.Globalization;
using System.Text;
using Siamorph.Data;
using Siamorph.Experiment.Safety;
using Siamorph.Imaging;
using Siamorph.Training;

namespace Siamorph.Reports;

/// <summary>
/// Writes what a safety audit found (safety.html, safety.md, safety.json) and the cards that go with shared data and models.
/// </summary>
internal static class SafetyPages
{
    private const int ShownCopies = 24, LookedAt = 32;

    /// <summary>Writes all of it into a folder.</summary>
    /// <param name="report">The findings.</param>
    /// <param name="set">What was looked at: near-copies are shown beside their originals.</param>
    /// <param name="folder">Where to write.</param>
    /// <returns>Full path of safety.html.</returns>
    /// <exception cref="SiamorphException">The folder can't be written, or an image is damaged.</exception>
    public static string Write(SafetyReport report, AuditedSet set, string folder)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(set);
        var document = Document(report, set);
        var html = Path.Combine(Path.GetFullPath(folder), "safety.html");
        HtmlReport.Write(html, document);
        MarkdownReport.Write(Path.Combine(folder, "safety.md"), document);
        OptionsFile.Save(Path.Combine(folder, "safety.json"), report);
        AtomicFile.WriteText(Path.Combine(folder, "data-card.md"), DataCardText(report, set.Synthetic));
        if (set.RunFolder is { } run) AtomicFile.WriteText(Path.Combine(folder, "model-card.md"), ModelCardText(report, run));
        return html;
    }

    private static ReportDocument Document(SafetyReport report, AuditedSet set)
    {
        var sentences = report.Sentences();
        var blocks = new List<Block> { new BulletList([.. sentences.Skip(1)]) };
        if (report.Copies.Count > 0)
        {
            var made = set.Synthetic.ToDictionary(p => p.Id);
            var real = set.Trained.Select(p => (p.Id, Unlabelled: false, Pair: p))
                .Concat(set.Unlabelled.Select(p => (p.Id, Unlabelled: true, Pair: p)))
                .ToLookup(p => (p.Id, p.Unlabelled), p => p.Pair); // files without masks may differ by their endings alone
            blocks.Add(new ImageSheet("Near-copies and their originals",
            "Each synthetic image is followed by the training image it resembles.",
                [.. report.Copies.Take(ShownCopies)
                    .SelectMany(c => new[] { Tile(made[c.Id], $"synthetic {c.Id}"),
                    Tile(real[(c.Training, c.Unlabelled)].First(),
                        FormattableString.Invariant($"training {c.Training}, distance {c.ToTrained:0.0}")) })]));
        }
        return new ReportDocument
        {
            Title = "Are training images remembered?",
            Overline = "Siamorph safety audit",
            Answer = [sentences[0]],
            Sections =
            [
                new Section("Findings", blocks),
                new Section("Method", [new BulletList(
                [
                    $"{report.Trained} training pairs"
                        + (report.Unlabelled is { } u
                            ? $", {u.Count} images without masks that base training learned from, " : ", ")
                        + $"{report.HoldOut} pairs that had no part in training, {report.Synthetic} synthetic pairs.",
                    "Distances alone mislead: they are compared with those to images that were never trained on, equally "
                        + "many of both.",
                    "Distance: mean absolute difference at 32 × 32 pixels in 8-bit levels, the smaller of plain and mirrored. It "
                        + "finds copies of whole images, not of parts.",
                    "Membership by loss: the same noises and timesteps for all images; training images that are restored better "
                        + "than others give themselves away.",
                ])]),
            ],
        };
    }

    private static ImageTile Tile(ImageMaskPair pair, string name)
    {
        var image = PairFiles.ReadImage(pair);
        var size = new ImageSize(128, Math.Max(1, 128 * image.Size.Height / image.Size.Width));
        return new(name, ImageFile.EncodePng(Resize.Image(image, size)), size, []);
    }

    // The seven Cs by which synthetic medical data are described: congruence, coverage, constraint, completeness, compliance,
    // comprehension, consistency.
    private static string DataCardText(SafetyReport report, IReadOnlyList<ImageMaskPair> synthetic)
    {
        var origins = synthetic.Select(p => p.Origin).OfType<Data.SyntheticOrigin>().ToList();
        var gated = origins.Count(o => o.GateVerdict is not null);
        var text = new StringBuilder("# Data card: synthetic image-mask pairs\n\n");
        void Line(string key, string value) => text.Append(CultureInfo.InvariantCulture, $"- **{key}**: {value}\n");
        Line("What", What(synthetic));
        Line("Intended use", "to train segmentation networks beside real pairs. Not for diagnosis, not to test or approve a "
            + "device, not for teaching what a finding looks like.");
        Line("Made by", string.Join("; ",
            origins.GroupBy(o => (o.ModelHash, o.Sampler, o.Steps, o.Guidance))
                .Select(g => string.Create(CultureInfo.InvariantCulture,
                    $"model {g.Key.ModelHash}, {g.Key.Sampler}, {g.Key.Steps} steps, guidance {g.Key.Guidance} ("
                        + $"{g.Count()} pairs)"))) is { Length: > 0 } made ? made : "unknown");
        Line("Congruence (do pairs fit?)", gated > 0
            ? $"{gated} pairs went through the quality gate; its verdicts are in the manifest." : "no quality gate ran.");
        Line("Coverage (what is varied?)",
            $"{origins.Select(o => o.SourceMask).Distinct().Count()} source masks; "
                + $"{origins.Count(o => o.Deformation is not (null or "none"))} pairs from deformed masks. Nothing is covered "
                + $"that the training data lack.");
        Line("Constraint (what is forbidden?)", Constraint(synthetic));
        Line("Completeness", "image, mask, prompt, seed, sampler and model hash for every pair.");
        Line("Compliance", "rights and consent are those of the training data; check them before sharing. A lesion's outline may "
            + "itself identify a patient.");
        Line("Comprehension (what is known?)", string.Join(" ", report.Sentences()));
        Line("Consistency", "each image is a function of model, mask and its own seed, and can be made again.");
        return text.ToString();
    }

    private static string What(IReadOnlyList<ImageMaskPair> synthetic)
    {
        var edited = synthetic.Count(p => p.Origin?.IsEditedReal == true);
        if (edited == 0)
            return $"{synthetic.Count} synthetic image-mask pairs, drawn by Siamese-Diffusion from masks. Every image is "
                + $"computer-made; none shows a patient.";
        var starts = synthetic.Select(p => p.Origin).OfType<SyntheticOrigin>().Where(o => o.IsEditedReal)
            .GroupBy(o => FormattableString.Invariant(
                $"{o.Start ?? "second hint"}{(o.Strength is { } s ? $" at strength {s}" : "")}"))
            .Select(g => $"{g.Key} ({g.Count()} pairs)");
        return $"{synthetic.Count} image-mask pairs, of which {edited} are edited-real: {string.Join("; ", starts)}. Those are "
            + $"versions of real images and show patients.";
    }

    private static string Constraint(IReadOnlyList<ImageMaskPair> synthetic)
    {
        var (classes, soft) = (synthetic[0].Classes, synthetic.Take(LookedAt)
            .Any(p => p.Classes is null && p.MaskPath.Length > 0 && ImageFile.ReadMaskLevels(p.MaskPath).Numbers == false));
        var kind = classes is { Count: > 2 } ? $"hold the {classes.Count} classes of {ClassTable.FileName}"
            : soft ? "are probabilities in grey levels" : "are binary";
        var deformed = synthetic.Count(p => p.Origin?.Deformation is not (null or "none"));
        return $"masks {kind}, and are exactly those that the images were drawn from"
            + $"{(deformed > 0 ? $"; {deformed} of them were deformed first" : "")}.";
    }

    private static string ModelCardText(SafetyReport report, string runFolder)
    {
        var options = new RunFolder(runFolder).Options<Siamese.TrainOptions>();
        var text = new StringBuilder("# Model card: Siamese-Diffusion\n\n");
        void Line(string key, string value) => text.Append(CultureInfo.InvariantCulture, $"- **{key}**: {value}\n");
        Line("What",
            $"draws an image for a mask, {options.ImageSize} × {options.ImageSize} pixels (method of arXiv 2505.06068).");
        Line("Trained on", $"{report.Trained} image-mask pairs"
            + $"{(report.Unlabelled is { } u ? $" and {u.Count} images without masks (base training)" : "")}; "
            + $"{options.Base.Steps} base and {options.Siamese.Steps} siamese steps, seed {options.Seed}.");
        Line("Intended use", "synthetic training pairs for segmentation. Not for diagnosis and not as evidence about patients.");
        Line("Limits", "shows nothing that its training data lack; small lesions and rare looks are drawn worst; help for "
            + "segmentation has to be measured, not assumed.");
        Line("Memorisation", string.Join(" ", report.Sentences()));
        Line("Rights", "those of the training data.");
        return text.ToString();
    }
}
