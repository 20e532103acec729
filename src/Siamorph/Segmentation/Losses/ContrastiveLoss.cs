using static TorchSharp.torch;

namespace Siamorph.Segmentation.Losses;

/// <summary>
/// Supervised contrast of pixels (Wang et al. 2021, arXiv 2101.11939), as CTNet is taken to use it: embeddings of one class
/// are drawn together, those of different classes pushed apart. Pixels that the network gets wrong are half of those taken.
/// </summary>
internal static class ContrastiveLoss
{
    internal const double Temperature = 0.1, BaseTemperature = 0.07;
    private const int MostAnchors = 1024, MostOfAClass = 100;

    /// <summary>The loss of chosen pixels.</summary>
    /// <param name="features">[anchors, views, C]: `views` pixels of one class of one image.</param>
    /// <param name="labels">[anchors]: their class.</param>
    /// <returns>A scalar.</returns>
    public static Tensor Of(Tensor features, Tensor labels)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(labels);
        using var scope = NewDisposeScope();
        var views = features.shape[1];
        var all = features.permute(1, 0, 2).reshape(-1, features.shape[2]);
        var logits = all.matmul(all.t()) / Temperature;
        logits -= logits.amax([1], true).detach();
        var classes = labels.reshape(-1, 1).to_type(features.dtype);
        var alike = classes.eq(classes.t()).to_type(features.dtype).repeat(views, views);
        var different = (logits.exp() * (1 - alike)).sum(1, keepdim: true);
        var positives = alike - eye(alike.shape[0], dtype: alike.dtype, device: alike.device);
        var logShare = logits - (logits.exp() + different).log();
        var mean = (positives * logShare).sum(1) / positives.sum(1).clamp_min(1);
        return (mean.mean() * -(Temperature / BaseTemperature)).MoveToOuterDisposeScope();
    }

    /// <summary>The loss of a batch, with pixels chosen by the seed; null where no class has two pixels.</summary>
    /// <param name="embedding">Unit vectors [B,C,h,w]; receives the gradient.</param>
    /// <param name="logits">[B,Classes,H,W], for telling hard from easy pixels.</param>
    /// <param name="masks">[B,1,H,W], class numbers.</param>
    /// <param name="seed">Of the choice.</param>
    internal static Tensor? Of(Tensor embedding, Tensor logits, Tensor masks, Seed seed)
    {
        using var scope = NewDisposeScope();
        long[] size = [embedding.shape[2], embedding.shape[3]];
        var truth = Bytes(nn.functional.interpolate(masks, size, mode: InterpolationMode.Nearest));
        var decided = logits.shape[1] == 1 ? (logits > 0).to_type(ScalarType.Float32)
            : logits.argmax(1, true).to_type(ScalarType.Float32);
        var found = Bytes(nn.functional.interpolate(decided, size, mode: InterpolationMode.Nearest));
        var groups = Groups(truth, found, (int)embedding.shape[0], seed.Random());
        if (groups.Count == 0) return null;
        var pixels = embedding.permute(0, 2, 3, 1).reshape(-1, embedding.shape[1]);
        var chosen = pixels.index_select(0, tensor(groups.SelectMany(g => g.Pixels).ToArray(), device: pixels.device));
        var labels = tensor(groups.Select(g => (float)g.Label).ToArray(), device: pixels.device);
        return Of(chosen.reshape(groups.Count, -1, embedding.shape[1]), labels).MoveToOuterDisposeScope();
    }

    private static byte[] Bytes(Tensor map) => map.round().to_type(ScalarType.Byte).cpu().contiguous().bytes.ToArray();

    // For each class of each image equally many pixels, half of them hard ones where there are enough.
    private static List<(int Label, long[] Pixels)> Groups(byte[] truth, byte[] found, int images, SeededRandom random)
    {
        var area = truth.Length / images;
        var all = Enumerable.Range(0, images)
            .SelectMany(b => Enumerable.Range(b * area, area).GroupBy(i => truth[i]))
            .Select(g => (Label: (int)g.Key, Pixels: g.ToArray())).Where(g => g.Pixels.Length > 1).ToList();
        if (all.Count == 0) return [];
        var views = Math.Min(Math.Min(MostOfAClass, MostAnchors / all.Count), all.Min(g => g.Pixels.Length));
        if (views < 1) return [];
        return [.. all.Select(g =>
        {
            var hard = Shuffled([.. g.Pixels.Where(i => found[i] != truth[i])], random);
            var easy = Shuffled([.. g.Pixels.Where(i => found[i] == truth[i])], random);
            var fromHard = Math.Max(views - easy.Length, Math.Min(hard.Length, views / 2));
            return (g.Label, hard.Take(fromHard).Concat(easy).Take(views).Select(i => (long)i).ToArray());
        })];
    }

    private static int[] Shuffled(int[] items, SeededRandom random) =>
        [.. random.Permutation(items.Length).Select(i => items[i])];
}
