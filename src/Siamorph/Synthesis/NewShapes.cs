using System.Globalization;
using System.Security.Cryptography;
using Siamorph.Data;
using Siamorph.Imaging;
using Siamorph.Siamese;

namespace Siamorph.Synthesis;

/// <summary>New masks of a shape model in place of given ones, as pairs without files.</summary>
/// <param name="Pairs">Named "shape-00001-" …, with a part of the mask's hash, so that a folder begun with other shapes is not
/// completed with these; and with the prompt of a given mask.</param>
/// <param name="Masks">Theirs, at the model's size; of a model with soft labels 255 within.</param>
internal sealed record NewShapes(IReadOnlyList<ImageMaskPair> Pairs, IReadOnlyList<LabelMap> Masks)
{
    /// <summary>Draws as many as the options ask for; null where they ask for none.</summary>
    /// <exception cref="InvalidOptionsException">The masks have several classes.</exception>
    /// <exception cref="InvalidDatasetException">No mask has a lesion, or one can't be read.</exception>
    public static NewShapes? Draw(IReadOnlyList<ImageMaskPair> given, SynthesisOptions options, TrainOptions trained)
    {
        if (options.Shapes == 0) return null;
        if (given[0].Classes is { Count: > 2 })
            throw new InvalidOptionsException(
                "shapes: the shape model knows lesions of one class, and these masks have several. Set it to 0 and deform the "
                    + "given masks.");
        var size = new ImageSize(trained.ImageSize, trained.ImageSize);
        // The order of the pairs decides nothing
        IReadOnlyList<ImageMaskPair> byId = [.. given.OrderBy(p => p.Id, StringComparer.Ordinal)];
        var model = ShapeModel.Fit([.. byId.Select(p => Resize.Mask(PairFiles.ReadMask(p), size))]);
        var seed = options.Seed.Derive("shapes");
        var masks = Enumerable.Range(0, options.Shapes).Select(i => model.Draw(size, seed.Derive(i))).ToList();
        if (trained.LabelReading.IsSoft)
            foreach (var mask in masks)
                for (var i = 0; i < mask.Labels.Length; i++) mask.Labels[i] *= 255;
        return new([.. masks.Select((m, i) => new ImageMaskPair
        {
            Id = string.Create(CultureInfo.InvariantCulture,
                $"shape-{i + 1:00000}-{Convert.ToHexStringLower(SHA256.HashData(m.Labels))[..6]}"),
            ImagePath = "",
            MaskPath = "",
            Prompt = byId[seed.Derive("prompt").Derive(i).Random().Next(byId.Count)].Prompt,
            Classes = given[0].Classes,
        })], masks);
    }
}
