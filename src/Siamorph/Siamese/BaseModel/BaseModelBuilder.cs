using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Data.Phantom;
using Siamorph.Imaging;
using Siamorph.Siamese.WeightFiles;
using Siamorph.Training;

namespace Siamorph.Siamese.BaseModel;

/// <summary>What a build came to.</summary>
/// <param name="Weights">Full path of the weights.</param>
/// <param name="Card">Full path of the card.</param>
/// <param name="Megabytes">Size of the weights.</param>
internal sealed record BuiltBase(string Weights, string Card, double Megabytes);

/// <summary>
/// Trains a base model by a recipe and writes its weights in 16 bits, with a card. Stopped, it goes on when called again.
/// </summary>
internal static class BaseModelBuilder
{
    /// <summary>Builds.</summary>
    /// <param name="recipe">What to learn from.</param>
    /// <param name="images">Folder in which the recipe's folders lie; null where it names none.</param>
    /// <param name="outFolder">Run, weights and card come here.</param>
    /// <param name="monitor">Watches and may stop.</param>
    /// <exception cref="SiamorphException">The recipe, a folder or an image can't be used.</exception>
    /// <exception cref="OperationCanceledException">The monitor asked to stop; the next call goes on.</exception>
    public static BuiltBase Build(BaseRecipe recipe, string? images, string outFolder, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(monitor);
        recipe.Validate();
        var options = recipe.Options();
        var pairs = recipe.Phantoms.SelectMany((p, i) => Paint(p, i, options, outFolder, monitor)).ToList();
        var unlabelled = recipe.Images.Count == 0 ? null
            : new UnlabelledImages(Path.GetFullPath(images ?? throw new InvalidOptionsException(
            "The recipe names folders of images. Give the folder that contains them with --images.")),
            [.. recipe.Images.SelectMany(i => List(i, images))], []);
        options = options with { Unlabelled = unlabelled?.Folder };
        var run = Path.Combine(outFolder, "run");
        using (var data = options.Load(pairs, monitor))
            SiameseTrainer.Run(options, data, run, monitor, resume: File.Exists(new RunFolder(run).OptionsPath),
                unlabelled: unlabelled);
        var weights = Path.GetFullPath(Path.Combine(outFolder, $"{recipe.Name}.safetensors"));
        using (var pipeline = SiamesePipeline.Load(run))
            InitialModel.Write(pipeline, weights, new Dictionary<string, string>
            {
                ["kind"] = "siamorph base model", ["name"] = recipe.Name, ["preset"] = recipe.Preset,
                ["recipe"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(OptionsFile.ToJson(recipe)))),
            });
        var size = new FileInfo(weights).Length / 1e6;
        var card = Path.GetFullPath(Path.Combine(outFolder, $"{recipe.Name}.md"));
        AtomicFile.WriteText(card, Card(recipe, options, pairs.Count, unlabelled, size));
        return new(weights, card, size);
    }

    private static IEnumerable<ImageMaskPair> Paint(
        BasePhantoms phantoms, int number, TrainOptions options, string outFolder, IMonitor monitor)
    {
        var folder = Path.Combine(outFolder, string.Create(CultureInfo.InvariantCulture, $"phantoms-{number + 1}"));
        var painted = PhantomDataset.Write(
            folder, new()
            {
                Count = phantoms.Count, Seed = new Seed(phantoms.Seed), Devices = phantoms.Devices,
                Size = new ImageSize(options.ImageSize, options.ImageSize),
            }, monitor);
        return painted.Pairs.Select(p => p with { Id = string.Create(CultureInfo.InvariantCulture, $"{number + 1}-{p.Id}") });
    }

    private static IEnumerable<ImageMaskPair> List(BaseImages images, string root)
    {
        var folder = Path.Combine(root, images.Folder);
        if (!Directory.Exists(folder))
            throw new InvalidDatasetException(
                $"{folder}: the folder of images does not exist. Put the images there, or give another folder with --images.");
        var files = FolderTree.Of(folder).All.SelectMany(f => f.Pictures).Order(StringComparer.Ordinal).ToList();
        if (files.Count == 0) throw new InvalidDatasetException($"{folder}: holds no image.");
        return files.Select(f => new ImageMaskPair
        {
            Id = $"{images.Folder}/{Path.ChangeExtension(Path.GetRelativePath(folder, f).Replace('\\', '/'), null)}",
            ImagePath = f, MaskPath = "", Prompt = images.Prompt,
        });
    }

    private static string Card(BaseRecipe recipe, TrainOptions options, int pairs, UnlabelledImages? unlabelled, double megabytes)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"# {recipe.Name}").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture,
            $"A base model for preset `{recipe.Preset}`: {options.ImageSize} × {options.ImageSize} pixels, {megabytes:0.0} MB in "
                + $"16 bits. It is a starting point for training, not a finished generator.").AppendLine();
        text.AppendLine("## Learned from").AppendLine().AppendLine("| what | images | licence | source |")
            .AppendLine("|---|---|---|---|");
        text.AppendLine(CultureInfo.InvariantCulture,
            $"| the built-in endoscopy simulator, with masks | {pairs} | MIT | this project |");
        foreach (var images in recipe.Images)
            text.AppendLine(CultureInfo.InvariantCulture,
                $"| {images.Prompt}, without masks | "
                    + $"{unlabelled!.Images.Count(i => i.Id.StartsWith(images.Folder + "/", StringComparison.Ordinal))} | "
                    + $"{images.Licence} | {images.Source} |");
        text.AppendLine().AppendLine("## Training").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture,
            $"{options.Base.Steps} steps of base training in batches of {options.Base.BatchSize}, {options.Siamese.Steps} of "
                + $"siamese training in batches of {options.Siamese.BatchSize}; averaged weights; seed {options.Seed}.");
        text.AppendLine().AppendLine("## Not for").AppendLine();
        foreach (var line in recipe.NotFor.Append("Data of a test must not be among the images above: a generator that has seen "
            + "them makes the test worthless.")) text.AppendLine(CultureInfo.InvariantCulture, $"- {line}");
        return text.ToString();
    }
}
