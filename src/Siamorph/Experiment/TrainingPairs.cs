using System.Globalization;
using Siamorph.Data;

namespace Siamorph.Experiment;

/// <summary>Makes an arm's list of training pairs of what it may train on.</summary>
internal static class TrainingPairs
{
    /// <param name="arm">What it wants.</param>
    /// <param name="real">The real pairs of the cell.</param>
    /// <param name="synthetic">The pairs to add, gated where the arm asks for that; empty for arms without.</param>
    /// <param name="added">Number of copies for arms that add copies.</param>
    /// <param name="seed">Decides how masks are shuffled.</param>
    public static IReadOnlyList<ImageMaskPair> Of(
        ArmDefinition arm, IReadOnlyList<ImageMaskPair> real, IReadOnlyList<ImageMaskPair> synthetic, int added, Seed seed)
    {
        IReadOnlyList<ImageMaskPair> more = arm.Added switch
        {
            AddedPairs.Copies => Copies(real, added),
            AddedPairs.Synthetic when arm.WrongMasks => Shuffled(synthetic, seed),
            AddedPairs.Synthetic or AddedPairs.PseudoLabels => synthetic,
            _ => [],
        };
        return arm.UsesReal ? [.. real, .. more] : more;
    }

    // Copies stand where synthetic pairs would: options that weigh or limit those act on them in the same way.
    private static ImageMaskPair[] Copies(IReadOnlyList<ImageMaskPair> real, int count)
        => [.. Enumerable.Range(0, count).Select(i => real[i % real.Count] with
        {
            Id = string.Create(CultureInfo.InvariantCulture, $"{real[i % real.Count].Id}-copy{1 + i / real.Count}"),
            Source = PairSource.Synthetic,
        })];

    // A round through a random order: no image keeps its own mask, nor, where that can be, another drawn from the same mask.
    private static ImageMaskPair[] Shuffled(IReadOnlyList<ImageMaskPair> pairs, Seed seed)
    {
        var order = seed.Derive("wrong masks").Random().Permutation(pairs.Count);
        string MaskOf(int i) => pairs[i].Origin?.SourceMask ?? pairs[i].Id;
        order = [.. order.GroupBy(MaskOf).SelectMany(g => g)]; // images of one mask stand together,
        // So this shift leaves them
        var shift = Math.Max(1, order.GroupBy(MaskOf).Select(g => g.Count()).DefaultIfEmpty(1).Max());
        var wrong = new ImageMaskPair[pairs.Count];
        for (var k = 0; k < order.Length; k++)
            wrong[order[k]] = pairs[order[k]] with
            {
                MaskPath = pairs[order[(k + shift) % order.Length]].MaskPath,
                OtherMaskPaths = pairs[order[(k + shift) % order.Length]].OtherMaskPaths,
            };
        return wrong;
    }
}
