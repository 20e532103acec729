using Siamorph.Data;
using Siamorph.Experiment.Results;

namespace Siamorph.Experiment;

/// <summary>The unlabelled images of a folder that generators of an experiment learn from.</summary>
/// <param name="Images">The images.</param>
/// <param name="Hash">SHA-256 over their contents, in order; hexadecimal.</param>
internal sealed record UnlabelledSet(UnlabelledImages Images, string Hash)
{
    /// <summary>Reads every folder that an arm's generator names, without what is or looks like a held-out image.</summary>
    /// <exception cref="InvalidDatasetException">A folder is missing or has no image to learn from.</exception>
    public static IReadOnlyDictionary<string, UnlabelledSet> Read(
        ExperimentOptions options, Dataset dataset, IReadOnlyList<ExternalSet> external, IMonitor monitor)
    {
        List<ImageMaskPair> heldOut = [.. dataset.Pairs, .. external.SelectMany(s => s.Pairs.Select(p => p with
        {
            Id = $"{s.Name} {p.Id}", Split = "test",
        }))];
        return options.Arms.Select(options.Arm).SelectMany(a => new[]
            {
                a.UsesGenerator(options) ? a.GeneratorOptions(options.Generator).Unlabelled
                    : null, a.NeedsUnlabelled ? options.Generator.Unlabelled : null,
            }).OfType<string>().Distinct()
            .ToDictionary(folder => folder, folder => Of(UnlabelledImages.Read(folder, heldOut, monitor)));
    }

    /// <summary>What the data card says of it.</summary>
    public UnlabelledFacts Facts =>
        new(Path.GetFileName(Images.Folder), Images.Images.Count, Hash, [.. Images.LeftOut.Select(l => l.ToString())]);

    private static UnlabelledSet Of(UnlabelledImages images)
        => new(images, ContentHash.Of(string.Join('\n', images.Images.Select(i => ContentHash.OfFile(i.ImagePath)))));
}
