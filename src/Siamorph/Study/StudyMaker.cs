using System.Security.Cryptography;
using Siamorph.Data;
using Siamorph.Data.Splits;
using Siamorph.Experiment;
using Siamorph.Imaging;
using Siamorph.Training;

namespace Siamorph.Study;

/// <summary>A study that was made.</summary>
/// <param name="Folder">Its folder.</param>
/// <param name="Size">Size of its images.</param>
/// <param name="Items">Images in it, practice and repeats included.</param>
/// <param name="Warnings">What may make real and synthetic images differ besides realism.</param>
internal sealed record StudySummary(string Folder, ImageSize Size, int Items, IReadOnlyList<string> Warnings);

/// <summary>
/// Makes the folder of a reader study: chosen images, brought to one size by one filter, written by one codec without
/// anything beside the pixels, under random names and all of one length; what they are lies in key.jsonl, which only its
/// owner may read.
/// </summary>
internal static class StudyMaker
{
    private const int Pieces = 4, SmallestTelling = 128;

    /// <summary>Makes a study of a dataset and a folder of synthetic pairs.</summary>
    /// <param name="real">A split dataset: its held-out pairs are shown.</param>
    /// <param name="synthetic">Synthetic pairs.</param>
    /// <param name="folder">Where to write; new or empty.</param>
    /// <param name="options">How many, from where, and what will be said of it.</param>
    /// <param name="consent">What readers agree to; null for <see cref="StudyTexts.Consent"/>.</param>
    /// <param name="monitor">Watches and may stop.</param>
    /// <exception cref="SiamorphException">Too few pairs, damaged files, or the folder can't be written.</exception>
    public static StudySummary Make(Dataset real, Dataset synthetic, string folder, StudyOptions options, string? consent,
        IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(real);
        ArgumentNullException.ThrowIfNull(synthetic);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        folder = Path.GetFullPath(folder);
        if (!FolderLock.IsEmpty(folder)) throw new InvalidStudyException($"{folder}: holds files already. Give a new folder.");
        var (held, made) = (HeldOut(real, options), Synthetic(synthetic));
        var size = options.Size ?? OneSize(made);
        var choice = StimulusChoice.Of([.. Candidates(held, false, size, monitor), .. Candidates(made, true, size, monitor)],
            options);
        var stimuli = Stimuli(choice, options, real.Folder, synthetic.Folder, size);
        Write(folder, stimuli, new StudyFile
        {
            Product = ProductVersion.Version, Created = DateTimeOffset.UtcNow, Options = options, Size = size,
            Consent = string.IsNullOrWhiteSpace(consent) ? StudyTexts.Consent : consent.Trim(), Items = "", Key = "",
        }, monitor);
        return new(folder, size, stimuli.Count, Warnings(choice, size));
    }

    private static List<ImageMaskPair> HeldOut(Dataset real, StudyOptions options)
    {
        var splits = options.Splits.Select(s => SplitNames.Read(s, "--splits")).ToHashSet();
        var held = real.Pairs.Where(p => p.Source == PairSource.Real && p.Split is { } split && splits.Contains(split)).ToList();
        if (held.Count > 0) return held;
        throw new InvalidDatasetException(real.Pairs.All(p => p.Split is null)
            ? $"{real.Folder}: is not split, so it is unknown which pairs the generator was not trained on. Split it with "
            + $"\"data split\" before training."
            : $"{real.Folder}: no real pair in {string.Join(" or ", splits)}. Name other splits by --splits; never one that the "
            + "generator learned from.");
    }

    private static List<ImageMaskPair> Synthetic(Dataset synthetic) =>
        synthetic.Pairs.Any(p => p.Source == PairSource.Synthetic)
            ? [.. synthetic.Pairs.Where(p => p.Source == PairSource.Synthetic)] : [.. synthetic.Pairs];

    private static ImageSize OneSize(List<ImageMaskPair> synthetic)
    {
        var sizes = synthetic.Select(p => ImageFile.Identify(p.ImagePath).Size).Distinct().ToList();
        return sizes.Count == 1 ? sizes[0] : throw new InvalidDatasetException(
            $"The synthetic images differ in size ({string.Join(", ", sizes.Take(3))}). Give the generator's size with --size.");
    }

    private static List<StudyCandidate> Candidates(List<ImageMaskPair> pairs, bool synthetic, ImageSize size, IMonitor monitor)
    {
        using var stage = monitor.Begin(synthetic ? "Reading synthetic masks" : "Reading real masks", pairs.Count);
        var found = new List<StudyCandidate>();
        foreach (var pair in pairs)
        {
            monitor.Cancellation.ThrowIfCancellationRequested();
            var mask = Resize.Mask(PairFiles.ReadMask(pair), size);
            var area = mask.Labels.Count(l => l != 0) / (double)mask.Labels.Length;
            if (area > 0) found.Add(new(pair, synthetic, area, ContentHash.OfBytes(mask.Labels)));
            stage.Report(found.Count);
        }
        return found.Count > 0 ? found : throw new InvalidDatasetException(
            $"No {(synthetic ? "synthetic" : "held-out real")} pair shows a lesion: readers judge lesions.");
    }

    private sealed record Stimulus(StudyItem Item, StudyKey Key, byte[] Png);

    private static List<Stimulus> Stimuli(StimulusChoice choice, StudyOptions options, string real, string synthetic,
        ImageSize size)
    {
        var stimuli = new List<Stimulus>();
        var outlined = Evenly(choice.Shown, options, options.OutlineImages, "outline");
        var repeated = Evenly(choice.Shown, options,
            (int)Math.Round(options.RepeatShare * options.Images, MidpointRounding.AwayFromZero), "repeat");
        foreach (var (candidate, third) in choice.Shown)
        {
            StudyBlock[] blocks = outlined.Contains(candidate)
                ? [StudyBlock.Quality, StudyBlock.Realism, StudyBlock.Outline] : [StudyBlock.Quality, StudyBlock.Realism];
            var first = Add(candidate, third, blocks);
            if (!repeated.Contains(candidate)) continue;
            var id = NewId();
            stimuli.Add(new(first.Item with { Id = id, Blocks = [StudyBlock.Realism], Repeats = first.Item.Id },
                first.Key with { Id = id, Repeats = first.Item.Id }, first.Png));
        }
        // The question about realism is practised only after quality was rated, so that it colours no rating.
        for (var i = 0; i < choice.Practice.Count; i++)
        {
            var first = i < (choice.Practice.Count + 1) / 2;
            Add(choice.Practice[i], 0, [first ? StudyBlock.Quality : StudyBlock.Realism], practice: true);
        }
        foreach (var candidate in choice.Spare)
        {
            var (id, picture) = (NewId(), Cut(Picture(candidate), options.Seed.Derive(candidate.Pair.Id)));
            stimuli.Add(new(new(id, "", [StudyBlock.Realism]), new(id, StudyKind.Catch, real, candidate.Pair.Id),
                ImageFile.EncodePng(picture)));
        }
        return stimuli;

        RgbImage Picture(StudyCandidate c) => Resize.Image(PairFiles.ReadImage(c.Pair), size);

        Stimulus Add(StudyCandidate c, int third, StudyBlock[] blocks, bool practice = false)
        {
            var id = NewId();
            var stimulus = new Stimulus(new(id, "", blocks) { Practice = practice },
                new(id, c.IsSynthetic ? StudyKind.Synthetic : StudyKind.Real, c.IsSynthetic ? synthetic : real, c.Pair.Id)
            {
                Practice = practice, SourceMask = c.Pair.Origin?.SourceMask, ModelHash = c.Pair.Origin?.ModelHash,
                Area = Math.Round(c.Area, 6), Third = third,
                Mask = ImageFile.EncodeMaskPng(Resize.Mask(PairFiles.ReadMask(c.Pair), size)),
            }, ImageFile.EncodePng(Picture(c)));
            stimuli.Add(stimulus);
            return stimulus;
        }
    }

    // So many of each kind, taken evenly from the thirds.
    private static HashSet<StudyCandidate> Evenly(IReadOnlyList<(StudyCandidate Candidate, int Third)> shown,
        StudyOptions options, int count, string purpose)
    {
        return [.. OfKind(false), .. OfKind(true)];

        IEnumerable<StudyCandidate> OfKind(bool kind)
        {
            var own = shown.Where(s => s.Candidate.IsSynthetic == kind).ToList();
            var order = options.Seed.Derive(purpose).Derive(kind ? 1 : 0).Random().Permutation(own.Count);
            return order.Select(i => own[i]).GroupBy(s => s.Third).SelectMany(g => g.Select((s, turn) => (s, turn)))
                .OrderBy(x => x.turn).Take(count).Select(x => x.s.Candidate);
        }
    }

    private static RgbImage Cut(RgbImage image, Seed seed)
    {
        var (cut, size) = (new RgbImage(image.Size, [.. image.Pixels]), image.Size);
        int width = size.Width / Pieces, height = size.Height / Pieces, count = Pieces * Pieces;
        var order = seed.Random().Permutation(count);
        for (var piece = 0; piece < count; piece++)
            for (var y = 0; y < height; y++)
            {
                int from = ((order[piece] / Pieces * height + y) * size.Width + order[piece] % Pieces * width) * 3;
                int to = ((piece / Pieces * height + y) * size.Width + piece % Pieces * width) * 3;
                Array.Copy(image.Pixels, from, cut.Pixels, to, width * 3);
            }
        return cut;
    }

    private static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    private static void Write(string folder, List<Stimulus> stimuli, StudyFile study, IMonitor monitor)
    {
        using var alone = FolderLock.Take(folder);
        try
        {
            using var stage = monitor.Begin("Writing images", stimuli.Count);
            var length = stimuli.Max(s => s.Png.Length);
            var items = new List<StudyItem>();
            // In the order of random names, so that neither order nor dates tell.
            foreach (var (item, _, png) in stimuli.OrderBy(s => s.Item.Id, StringComparer.Ordinal))
            {
                monitor.Cancellation.ThrowIfCancellationRequested();
                var padded = new byte[length]; // zeros behind the end of a PNG are passed over, and no length tells
                png.CopyTo(padded, 0);
                AtomicFile.Write(Path.Combine(folder, "images", item.Id + ".png"), s => s.Write(padded));
                items.Add(item with { Sha256 = ContentHash.OfBytes(padded) });
                stage.Report(items.Count);
            }
            var (itemBytes, keyBytes) = (JsonLines.Bytes(items),
                JsonLines.Bytes(stimuli.Select(s => s.Key).OrderBy(k => k.Id, StringComparer.Ordinal)));
            AtomicFile.Write(Path.Combine(folder, StudyFolder.ItemsName), s => s.Write(itemBytes));
            WriteSecret(Path.Combine(folder, StudyFolder.KeyName), keyBytes);
            OptionsFile.Save(Path.Combine(folder, StudyFolder.StudyName),
                study with { Items = ContentHash.OfBytes(itemBytes), Key = ContentHash.OfBytes(keyBytes) });
        }
        catch
        {
            Remove(folder);
            throw;
        }
    }

    private static void WriteSecret(string path, byte[] bytes)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var file = new FileStream(path, options);
        file.Write(bytes);
        file.Flush(flushToDisk: true);
    }

    // Nothing half-written: the folder was empty before.
    private static void Remove(string folder)
    {
        if (Directory.Exists(Path.Combine(folder, "images"))) Directory.Delete(Path.Combine(folder, "images"), recursive: true);
        string[] names = [StudyFolder.ItemsName, StudyFolder.KeyName, StudyFolder.StudyName];
        foreach (var name in names) File.Delete(Path.Combine(folder, name));
    }

    private static List<string> Warnings(StimulusChoice choice, ImageSize size)
    {
        var warnings = new List<string>();
        var real = choice.Shown.Where(s => !s.Candidate.IsSynthetic).Select(s => s.Candidate.Pair).ToList();
        var synthetic = choice.Shown.Where(s => s.Candidate.IsSynthetic).Select(s => s.Candidate.Pair).ToList();
        if (Math.Min(size.Width, size.Height) < SmallestTelling)
            warnings.Add(
                $"The images are {size} pixels; below {SmallestTelling} pixels readers judge resolution rather than realism.");
        var headers = real.Select(p => ImageFile.Identify(p.ImagePath)).ToList();
        if (headers.Count(h => h.Format == "jpeg" && h.Size.Width < 2 * size.Width) is > 0 and var jpeg)
            warnings.Add($"{jpeg} real images are JPEG files hardly larger than the study's size: traces of compression may give "
                + "them away.");
        if (synthetic.Count(p => ImageFile.Identify(p.ImagePath).Size != size) is > 0 and var resized)
            warnings.Add($"{resized} synthetic images are resized from another size than the study's.");
        if (synthetic.Count(p => p.Origin?.IsEditedReal == true) is > 0 and var edited)
            warnings.Add(
                $"{edited} synthetic images are edited-real: they were generated from real images and are evaluated as such.");
        var sources = choice.Shown.Where(s => s.Candidate.IsSynthetic).Select(s => s.Candidate.Source).Distinct().Count();
        if (sources < synthetic.Count)
            warnings.Add($"The {synthetic.Count} synthetic images come from {sources} masks, deformed in several ways: readers "
                + $"may see "
                + "lesions that resemble each other.");
        if (synthetic.Count(p => p.Origin is null) is > 0 and var unknown)
            warnings.Add($"{unknown} synthetic images do not say which model drew them and from which mask; equal masks are "
                + "known by their pixels alone.");
        return warnings;
    }
}
