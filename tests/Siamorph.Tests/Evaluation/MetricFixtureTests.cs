using Siamorph.Evaluation.ImageSets;
using Siamorph.Evaluation.Masks;
using Siamorph.Evaluation.Radiomics;
using Siamorph.Imaging;
using Siamorph.Tests.Reference;
using static TorchSharp.torch;

namespace Siamorph.Tests.Evaluation;

/// <summary>Mask measures, distances between sets of features and radiomic textures against stored numbers of our own.</summary>
public class MetricFixtureTests
{
    private const int Width = 19, Height = 16;
    private static readonly string[] Masks =
        ["apart", "noisy", "empty truth", "empty map", "full truth", "constant", "faint", "one pixel"];

    [Fact]
    public void MaskMeasures_EqualTheirFixture() => OwnFixtures.AssertNumbers("mask-measures", 1e-9, Masks.SelectMany(name =>
    {
        var (truth, levels) = Mask(name);
        var size = new ImageSize(Width, Height);
        var (mask, map) = (new LabelMap(size, Array.ConvertAll(truth, t => (byte)t)),
            new ProbabilityMap(size, Array.ConvertAll(levels, l => (byte)l)));
        var (curves, half) = (ThresholdMetrics.Curves(mask, map), Confusion.AtHalf(mask, map));
        var found = new Dictionary<string, double>
        {
            ["dice"] = half.Dice, ["iou"] = half.Iou, ["mean dice"] = curves.Dice.Average(), ["max dice"] = curves.Dice.Max(),
            ["mean iou"] = curves.Iou.Average(),
            ["mean E"] = curves.EMeasure.Average(), ["max E"] = curves.EMeasure.Max(),
            ["MAE"] = ThresholdMetrics.MeanAbsoluteError(mask, map),
            ["S"] = StructureMeasure.Of(mask, map), ["weighted F"] = WeightedFMeasure.Of(mask, map),
        };
        if (SurfaceDistances.Between(mask, map.ToMask()) is { } surface)
            (found["Hausdorff"], found["HD95"], found["HD95 of directions"], found["mean surface distance"])
                = (surface.Hausdorff, surface.Hd95Pooled, surface.Hd95MaxDirected, surface.AverageSymmetric);
        return found.Select(f => ($"{name}: {f.Key}", f.Value));
    }));

    [Fact]
    public void FeatureDistances_EqualTheirFixture()
    {
        using var scope = NewDisposeScope();
        Tensor Put(double[][] rows) => tensor([.. rows.SelectMany(r => r)], [rows.Length, rows[0].Length]);
        var (real, synthetic) = (Put(Features("real", 12, 0)), Put(Features("synthetic", 9, 0.4)));
        var found = new Dictionary<string, double>
        {
            ["FID"] = FrechetDistance.Between(real, synthetic),
            ["KID, unbiased"] = KernelDistance.Unbiased(real, synthetic),
            ["KID, biased"] = KernelDistance.Biased(real, synthetic),
        };
        foreach (var k in new[] { 2, 3 })
        {
            var shares = NeighbourMetrics.Prdc(real, synthetic, k);
            (found[$"precision, k {k}"], found[$"recall, k {k}"]) = (shares.Precision, shares.Recall);
            (found[$"density, k {k}"], found[$"coverage, k {k}"]) = (shares.Density!.Value, shares.Coverage!.Value);
        }
        OwnFixtures.AssertNumbers("feature-sets", 1e-9, found.Select(f => (f.Key, f.Value)));
    }

    [Fact]
    public void Textures_EqualTheirFixture()
    {
        var (size, bins) = (new ImageSize(9, 7), Bins());
        OwnFixtures.AssertNumbers("radiomics", 1e-9, new (string Kind, IReadOnlyDictionary<string, double> Features)[]
        {
            ("glcm", GlcmFeatures.Of(size, bins, withMcc: false)), ("glrlm", GlrlmGlszmFeatures.Runs(size, bins)),
            ("glszm", GlrlmGlszmFeatures.Zones(size, bins)),
            ("gldm", GlrlmGlszmFeatures.Dependences(size, bins)), ("ngtdm", NgtdmFeatures.Of(size, bins)),
        }.SelectMany(k => k.Features.Select(f => ($"{k.Kind} {f.Key}", f.Value))));
    }

    [Fact]
    public void Fixtures_AreWhatTheirCodeMakes()
    {
        OwnFixtures.AssertMade("mask-measures", Masks.SelectMany(name =>
        {
            var (truth, levels) = Mask(name);
            return new MaskMetricReference(truth, levels, Width).All().Select(n => ($"{name}: {n.Key}", n.Value));
        }));
        OwnFixtures.AssertMade("feature-sets",
            new FeatureSetReference(Features("real", 12, 0), Features("synthetic", 9, 0.4)).All().Select(n => (n.Key, n.Value)));
        OwnFixtures.AssertMade("radiomics", new RadiomicReference(Bins(), 9).All().Select(n => (n.Key, n.Value)));
    }

    // An ellipse, and a map that lies beside it, falls off at its edge and is noisy.
    private static (int[] Truth, int[] Levels) Mask(string name)
    {
        int[] Draw(Func<int, int, int> of) => [.. Enumerable.Range(0, Width * Height).Select(i => of(i % Width, i / Width))];
        int Ellipse(double x, double y) => double.Hypot((x - 8) / 6, (y - 7) / 4) < 1 ? 1 : 0;
        var noise = NamedWeights.Uniform($"map, {name}", Width * Height, name == "noisy" ? 90 : 12);
        int Soft(int x, int y) => (int)Math.Clamp(255 * GridMath.Sigmoid((1 - double.Hypot((x - 10) / 6.0, (y - 8) / 5.0)) * 6)
            + noise[y * Width + x], 0, 255);
        var truth = Draw((x, y) =>
            name switch { "empty truth" => 0, "full truth" => 1, "one pixel" => x == 18 && y == 0 ? 1 : 0, _ => Ellipse(x, y) });
        return (truth, Draw((x, y) =>
            name switch { "empty map" => 0, "constant" => 100, "faint" => 20 + Soft(x, y) / 4, _ => Soft(x, y) }));
    }

    private static double[][] Features(string name, int count, double shift) =>
        [.. NamedWeights.Uniform($"features, {name}", count * 4, 1).Select(v => v + shift).Chunk(4)];

    // Four grey levels, some pixels outside.
    private static int[] Bins() => [.. NamedWeights.Uniform("grey levels", 63, 1).Select((v, i) =>
        i % 11 == 5 ? 0 : 1 + (int)(1.5 * (v + 1) + i % 9 / 9.0))];
}
