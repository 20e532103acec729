using System.Globalization;
using Siamorph.Data;

namespace Siamorph.Synthesis;

/// <summary>One pair of a synthesis before it is drawn.</summary>
internal sealed record PlannedPair(string Id, int Mask, Seed Seed, string Prompt, SyntheticOrigin Origin)
{
    /// <summary>All pairs of a synthesis: they go round the masks.</summary>
    /// <param name="masks">The masks.</param>
    /// <param name="options">How many, and from what.</param>
    /// <param name="walk">Model hash, name of the sampler, steps and guidance.</param>
    public static List<PlannedPair> All(
        IReadOnlyList<ImageMaskPair> masks, SynthesisOptions options,
        (string Model, string Sampler, int Steps, double Guidance) walk)
    {
        var count = options.Count ?? masks.Count * options.ImagesPerMask;
        return [.. Enumerable.Range(0, count).Select(i => Of(masks, (i % masks.Count, i / masks.Count), options, walk))];
    }

    /// <summary>One of them: a mask's image of a given number.</summary>
    public static PlannedPair Of(
        IReadOnlyList<ImageMaskPair> masks, (int Mask, int Number) which, SynthesisOptions options,
        (string Model, string Sampler, int Steps, double Guidance) walk)
    {
        var mask = masks[which.Mask];
        var seed = options.Seed.Derive(mask.Id).Derive(which.Number);
        var id = string.Create(CultureInfo.InvariantCulture, $"{mask.Id}-s{which.Number:000}");
        return new(id, which.Mask, seed, options.Prompt ?? mask.Prompt, OriginOf(options, walk, seed, mask.Id));
    }

    public string ImagePath(string folder) => Path.Combine(Path.GetFullPath(folder), "images", $"{Id}.png");

    public string MaskPath(string folder) => Path.Combine(Path.GetFullPath(folder), "masks", $"{Id}.png");

    /// <summary>Image and mask are there.</summary>
    public bool IsDrawn(string folder) => File.Exists(ImagePath(folder)) && File.Exists(MaskPath(folder));

    /// <summary>The pair as the manifest names it.</summary>
    public ImageMaskPair Pair(string folder, StartImage start, bool deforms) => new()
    {
        Id = Id,
        ImagePath = ImagePath(folder),
        MaskPath = MaskPath(folder),
        Prompt = Prompt,
        Source = PairSource.Synthetic,
        Split = "train",
        Origin = Origin with { Deformation = deforms ? start.Deformation : null, Host = start.Host, Donor = start.Donor },
    };

    private static SyntheticOrigin OriginOf(
        SynthesisOptions options, (string Model, string Sampler, int Steps, double Guidance) walk, Seed seed, string mask) =>
        new(walk.Model, seed.Value, walk.Sampler, walk.Steps, walk.Guidance, mask)
        {
            Start = options.Start == SampleStart.Noise ? null : options.Start.ToString().ToLowerInvariant(),
            Strength = options.Start == SampleStart.Noise ? null : options.ResolvedStrength,
            ImageWeight = options.ImageWeight > 0 ? options.ImageWeight : null,
        };
}
