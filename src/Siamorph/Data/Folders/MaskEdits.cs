using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Siamorph.Imaging;

namespace Siamorph.Data.Folders;

/// <summary>A version of a mask file.</summary>
/// <param name="File">Its path below the dataset's folder.</param>
/// <param name="Sha256">Of its bytes.</param>
internal sealed record MaskVersion(string File, string Sha256);

/// <summary>A line of <c>edits.jsonl</c>.</summary>
/// <param name="At">When.</param>
/// <param name="Who">By whom.</param>
/// <param name="Id">The pair.</param>
/// <param name="Before">What the mask was, where it lies now: several files where each lesion had its own.</param>
/// <param name="After">What it is.</param>
internal sealed record MaskEdit(DateTimeOffset At, string Who, string Id, IReadOnlyList<MaskVersion> Before, MaskVersion After);

/// <summary>
/// Masks that people corrected: the file that the dataset names holds the new mask, every earlier version lies under
/// <c>edits/ID/</c>, and <c>edits.jsonl</c> tells who changed what. A mask stays whole whenever the process ends.
/// </summary>
internal static partial class MaskEdits
{
    public const string LogName = "edits.jsonl";
    private const string ArchiveName = "edits";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Whether a folder holds earlier versions of masks, which belong to no pair.</summary>
    public static bool IsArchive(string folder) =>
        Path.GetFileName(folder) == ArchiveName && File.Exists(Path.Combine(Path.GetDirectoryName(folder)!, LogName));

    /// <summary>What is lost when this pair's mask is edited as lesion against background; null for nothing.</summary>
    public static string? Loss(ImageMaskPair pair)
    {
        ArgumentNullException.ThrowIfNull(pair);
        if (pair.MoreMaskPaths.Count > 0)
            return $"This mask has {pair.MoreMaskPaths.Count + 1} files, one a lesion. Saving joins them in one.";
        var levels = ImageFile.ReadMaskLevels(pair.MaskPath);
        return MaskLevels.AreClassNumbers(levels)
            && levels.Distinct > 2 ? $"This mask numbers {levels.Distinct - 1} regions. Saving makes one lesion of them."
            : levels.Numbers == false && levels.Distinct > 2
            ? "This mask has grey levels. Saving makes it black and white." : null;
    }

    /// <summary>Why this pair's mask can't be edited here; null where it can.</summary>
    public static string? Obstacle(Dataset dataset, ImageMaskPair pair)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(pair);
        if (pair.Classes is { Count: > 2 })
            return $"{pair.Id}: its folder has {pair.Classes.Count} classes; masks of several classes can't be edited here.";
        return TargetOf(pair) != pair.MaskPath && dataset.Layout is not ("manifest" or "images and masks")
            ? $"{pair.Id}: its mask is not a PNG file, and its name is fixed by the folder's list of files ({dataset.Layout}). "
            + $"Save the masks as PNG first." : null;
    }

    /// <summary>Puts a new mask in the place of a pair's.</summary>
    /// <param name="dataset">Read from the folder that holds the mask.</param>
    /// <param name="pair">One of its pairs.</param>
    /// <param name="mask">Of the image's size; every class but 0 is the lesion.</param>
    /// <param name="known">SHA-256 of the file that was edited: another one there now is not overwritten.</param>
    /// <param name="who">Who did it, and when.</param>
    /// <returns>What was written to the log.</returns>
    /// <exception cref="SiamorphException">The mask is of another size, the file has changed, or the folder can't be
    /// written.</exception>
    public static MaskEdit Save(Dataset dataset, ImageMaskPair pair, LabelMap mask, string known,
        (string Name, DateTimeOffset At) who)
    {
        ArgumentNullException.ThrowIfNull(mask);
        if (Obstacle(dataset, pair) is { } obstacle) throw new InvalidDatasetException(obstacle);
        var size = ImageFile.Identify(pair.ImagePath).Size;
        if (mask.Size != size) throw new InvalidDatasetException(
            $"{pair.Id}: the mask is {mask.Size}, its image {size}. Give it the image's size.");
        using var alone = FolderLock.Take(dataset.Folder);
        if (ContentHash.OfFile(pair.MaskPath) != known)
            throw new InvalidDatasetException(
                $"{pair.Id}: its mask has been changed since it was opened. Load it again; the strokes are kept until then.");
        var target = TargetOf(pair);
        if (target != pair.MaskPath && File.Exists(target))
            throw new InvalidDatasetException($"{target}: is there already. Remove it, or save the mask by hand.");
        var png = Encoded(pair, mask);
        var before = new[] { pair.MaskPath }.Concat(pair.MoreMaskPaths).Select(p => Archive(dataset.Folder, pair.Id, p)).ToList();
        AtomicFile.Write(target, s => s.Write(png));
        if (dataset.Layout == "manifest" && (target != pair.MaskPath || pair.MoreMaskPaths.Count > 0))
            Manifest.Change(dataset.Folder, pair.Id, line => Name(line, dataset.Folder, target));
        foreach (var old in pair.MoreMaskPaths.Prepend(pair.MaskPath).Where(p => p != target)) File.Delete(old);
        var edit = new MaskEdit(who.At, who.Name, pair.Id, before,
            new(Relative(dataset.Folder, target), ContentHash.OfBytes(png)));
        Append(Path.Combine(dataset.Folder, LogName), JsonSerializer.Serialize(edit, Json));
        return edit;
    }

    // With the numbers that the file had: 0 and 1 stay 0 and 1.
    private static byte[] Encoded(ImageMaskPair pair, LabelMap mask)
    {
        var (off, on) = pair.Classes is { } classes ? (classes.Classes[0].Level, classes.Classes[1].Level) : ((byte)0, (byte)255);
        if (pair.Classes is null && pair.MoreMaskPaths.Count == 0)
        {
            var old = ImageFile.ReadMaskLevels(pair.MaskPath);
            if (MaskLevels.AreClassNumbers(old) && old.Distinct == 2 && old.Largest <= byte.MaxValue) on = (byte)old.Largest;
        }
        return ImageFile.EncodeGreyPng(new(mask.Size, Array.ConvertAll(mask.Labels, l => l == 0 ? off : on), Lossless: true));
    }

    private static string TargetOf(ImageMaskPair pair) =>
        Path.GetExtension(pair.MaskPath).Equals(".png", StringComparison.OrdinalIgnoreCase) ? pair.MaskPath
        : Path.ChangeExtension(pair.MaskPath, ".png");

    // A copy: the mask itself is replaced in one step, so the pair always has one. The log is there first, for it marks the
    // archive.
    private static MaskVersion Archive(string folder, string id, string path)
    {
        var log = Path.Combine(folder, LogName);
        if (!File.Exists(log)) File.AppendAllText(log, "");
        var own = Path.Combine(folder, ArchiveName, Plain().IsMatch(id) ? id : ContentHash.Of(id)[..16]);
        Directory.CreateDirectory(own);
        var number = Directory.EnumerateFiles(own).Count() + 1;
        string to;
        do to = Path.Combine(own, string.Create(CultureInfo.InvariantCulture, $"{number++:000}-{Path.GetFileName(path)}"));
        while (File.Exists(to));
        var bytes = File.ReadAllBytes(path);
        AtomicFile.Write(to, s => s.Write(bytes));
        return new(Relative(folder, to), ContentHash.OfBytes(bytes));
    }

    private static void Name(JsonObject line, string folder, string target)
    {
        line["mask"] = Relative(folder, target);
        if (line["masks"] is JsonArray { Count: > 0 } masks) masks[0] = Relative(folder, target);
        line.Remove("moreMasks");
    }

    private static void Append(string path, string line)
    {
        using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
        file.Write(Encoding.UTF8.GetBytes(line + "\n"));
        file.Flush(flushToDisk: true);
    }

    private static string Relative(string folder, string path) => Path.GetRelativePath(folder, path).Replace('\\', '/');

    [GeneratedRegex(@"^\w[\w.-]{0,120}$")]
    private static partial Regex Plain();
}
