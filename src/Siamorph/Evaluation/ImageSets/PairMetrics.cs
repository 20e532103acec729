using Siamorph.Evaluation.Radiomics;
using Siamorph.Imaging;
using static TorchSharp.torch;

namespace Siamorph.Evaluation.ImageSets;

// Measures of two images, averaged over pairs.
internal static class PairMetrics
{
    private const int Batch = 8;

    // Pairs of images of one group; all of them, or as many as asked, drawn by the seed.
    public static IReadOnlyList<(SetImage, SetImage)> Within(IEnumerable<IReadOnlyList<SetImage>> groups, int most, Seed seed)
    {
        var all = new List<(SetImage, SetImage)>();
        foreach (var (group, index) in groups.Select((g, i) => (g, i)))
        {
            if (group.Count < 2) continue;
            if ((long)group.Count * (group.Count - 1) / 2 <= most)
            {
                for (var i = 0; i < group.Count; i++) for (var j = i + 1; j < group.Count; j++) all.Add((group[i], group[j]));
                continue;
            }
            var random = seed.Derive(index).Random();
            for (var k = 0; k < most; k++)
            {
                var first = random.Next(group.Count);
                var second = random.Next(group.Count - 1);
                all.Add((group[first], group[second >= first ? second + 1 : second]));
            }
        }
        if (all.Count <= most) return all;
        return [.. seed.Derive("pairs").Random().Permutation(all.Count)[..most].Select(i => all[i])];
    }

    // LPIPS at a common square.
    public static double Perceptual(
        PerceptualDistance distance, IReadOnlyList<(SetImage, SetImage)> pairs, int side, IMonitor monitor, string title) =>
        Mean(pairs, monitor, title, image =>
        {
            using var scope = NewDisposeScope();
            return ImageTensor.FromRgb(Resize.Image(image.Read(), new(side, side))).MoveToOuterDisposeScope();
        }, (a, b) => distance.Distance(distance.Place.Put(a), distance.Place.Put(b)).cpu().to_type(ScalarType.Float64));

    // Multi-scale structural similarity of luma at a common square.
    public static double Structural(IReadOnlyList<(SetImage, SetImage)> pairs, int side, IMonitor monitor, string title) =>
        Mean(pairs, monitor, title, image =>
        {
            using var scope = NewDisposeScope();
            var grey = RadiomicRegion.Luma(Resize.Image(image.Read(), new(side, side)));
            return tensor(grey.Levels, [1, side, side], ScalarType.Byte).to_type(ScalarType.Float32).MoveToOuterDisposeScope();
        }, StructuralSimilarity.MultiScale);

    private static double Mean(IReadOnlyList<(SetImage, SetImage)> pairs, IMonitor monitor, string title,
        Func<SetImage, Tensor> open, Func<Tensor, Tensor, Tensor> measure)
    {
        double sum = 0;
        var done = 0;
        using var stage = monitor.Begin(title, pairs.Count);
        foreach (var some in pairs.Chunk(Batch))
        {
            monitor.Cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var first = stack(some.Select(p => open(p.Item1)).ToArray(), 0);
            var second = stack(some.Select(p => open(p.Item2)).ToArray(), 0);
            sum += measure(first, second).sum().item<double>();
            stage.Report(done += some.Length);
        }
        return sum / pairs.Count;
    }
}
