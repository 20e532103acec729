using System.Text.Json.Nodes;
using Siamorph.Evaluation.ImageSets;
using Siamorph.Evaluation.Radiomics;
using Siamorph.Tests.Segmentation;
using static TorchSharp.torch;

namespace Siamorph.Tests.Evaluation;

public class DistributionMeasuresTests
{
    [Fact]
    public void Frechet_OnReferenceCases_EqualsTheReference() => ForEachCase((node, real, fake) =>
    {
        // Singular covariances leave the square root of the reference itself uncertain.
        var singular = node["name"]!.GetValue<string>()[0] is 'c' or 'f';
        var actual = FrechetDistance.Between(real, fake);
        foreach (var key in new[] { "fid_pytorch_fid_sqrtm", "fid_torch_fidelity_eigvals", "fid_symmetric_eigh" })
            Near(node[key]!, actual, singular ? 1e-3 : 1e-9, 1e-6);
        FeatureMoments p = FeatureMoments.Of(real), q = FeatureMoments.Of(fake);
        Near(node["mean_term"]!, FrechetDistance.MeansOnly(p, q), 1e-12, 1e-9);
        Near(node["trace_real"]!, p.Covariance.trace().item<double>(), 0, 1e-9);
        Near(node["trace_fake"]!, q.Covariance.trace().item<double>(), 0, 1e-9);
    });

    [Fact]
    public void Kernel_OnReferenceCases_EqualsTheReference()
    {
        using var scope = NewDisposeScope();
        var golden = SegmentationFixtures.Tensors("distribution_metrics");
        ForEachCase((node, real, fake) =>
        {
            var name = node["name"]!.GetValue<string>();
            Near(node["kid_full_unbiased"]!, KernelDistance.Unbiased(real, fake), 1e-12, 1e-9);
            Near(node["kid_full_biased"]!, KernelDistance.Biased(real, fake), 1e-11, 1e-9);
            if (node["kid_full_u_statistic"] is { } u) Near(u, KernelDistance.UStatistic(real, fake), 1e-12, 1e-9);
            if (node["kid_full_torch_fidelity_mmd2"] is { } fidelity)
                Near(fidelity, KernelDistance.Unbiased(real, fake), 1e-12, 1e-9);
            if (node["kid_subsets"] is not { } subsets) return;
            var (r, f) = (Rows(golden[$"{name}.kid_idx_real"]), Rows(golden[$"{name}.kid_idx_fake"]));
            var chosen = r.Zip(f).ToList();
            var values = KernelDistance.Values(real, fake, chosen).ToList();
            for (var i = 0; i < values.Count; i++) Near(subsets["values"]![i]!, values[i], 1e-12, 1e-9);
            var result = KernelDistance.OverSubsets(real, fake, chosen);
            Near(subsets["mean"]!, result.Mean, 1e-12, 1e-9);
            Near(subsets["std_population"]!, result.Deviation, 1e-12, 1e-9);
            Assert.Equal(subsets["subset_size"]!.GetValue<int>(), result.SubsetSize);
        });
    }

    [Fact]
    public void Neighbours_OnReferenceCases_EqualTheReference() => ForEachCase((node, real, fake) =>
    {
        foreach (var k in new[] { 3, 5 })
        {
            var (expected, actual) = (node[$"prdc_k{k}"]!, NeighbourMetrics.Prdc(real, fake, k));
            Near(expected["precision"]!, actual.Precision, 1e-12, 0);
            Near(expected["recall"]!, actual.Recall, 1e-12, 0);
            Near(expected["density"]!, actual.Density!.Value, 1e-12, 0);
            Near(expected["coverage"]!, actual.Coverage!.Value, 1e-12, 0);
        }
        var improved = NeighbourMetrics.Improved(real, fake);
        Near(node["improved_pr_k3_torch_fidelity"]!["precision"]!, improved.Precision, 1e-6, 0);
        Near(node["improved_pr_k3_torch_fidelity"]!["recall"]!, improved.Recall, 1e-6, 0);
        Near(node["improved_pr_k3_torch_fidelity"]!["f_score"]!, improved.FScore, 1e-6, 0);
        Assert.Null(improved.Density);
    });

    [Fact]
    public void Embeddings_OnReferenceCases_EqualTheReference()
    {
        using var scope = NewDisposeScope();
        var (json, golden) = (SegmentationFixtures.Json("distribution_metrics"),
            SegmentationFixtures.Tensors("distribution_metrics"));
        foreach (var node in json["cmmd"]!.AsArray())
        {
            var name = node!["name"]!.GetValue<string>();
            var actual = EmbeddingMetrics.Cmmd(golden[$"{name}.ref"], golden[$"{name}.eval"]);
            Near(node["cmmd_float64"]!, actual, 1e-9, 1e-9);
            Near(node["cmmd_float32"]!, actual, 1e-3, 0);
            Near(node["sigma"]!, EmbeddingMetrics.CmmdWidth, 0, 0);
            Near(node["scale"]!, EmbeddingMetrics.CmmdScale, 0, 0);
        }
        var clip = json["clip_i"]!;
        var pair = clip["inputs"]!.GetValue<string>().Split('.')[0]; // "name.ref rows …"
        var (real, fake) = (golden[$"{pair}.ref"], golden[$"{pair}.eval"]);
        real = real[..(int)fake.shape[0]];
        Near(clip["paired_mean_cosine"]!, EmbeddingMetrics.PairedCosine(real, fake), 1e-9, 0);
        Near(clip["all_pairs_mean_cosine"]!, EmbeddingMetrics.AllPairsCosine(real, fake), 1e-9, 0);
        Near(clip["best_match_mean_over_fake"]!, EmbeddingMetrics.NearestCosine(real, fake), 1e-9, 0);
    }

    [Fact]
    public void Radiomic_OnReferenceMatrices_EqualsTheReference()
    {
        using var scope = NewDisposeScope();
        var (node, golden) = (SegmentationFixtures.Json("distribution_metrics")["frd"]!,
            SegmentationFixtures.Tensors("distribution_metrics"));
        var result = RadiomicDistance.Between(Matrix(golden["frd.f1"]), Matrix(golden["frd.f2"]));
        Assert.Equal(node["dropped_columns"]!.AsArray().Select(n => n!.GetValue<int>()), result.Dropped);
        Near(node["v1_zscore_d1_squared_frechet"]!, result.Squared, 0, 1e-9);
        Near(node["v1_frd_log"]!, result.Log, 0, 1e-9);
        Near(node["v1_frd_paper_log_sqrt"]!, result.Log / 2, 0, 1e-9);
        Near(node["v1_means_only"]!, result.MeansOnly, 0, 1e-9);
        Near(node["v0_minmax_joint_frechet"]!, result.MinMaxSquared, 0, 1e-9);
    }

    [Fact]
    public void ValueDistance_OfShiftedValues_IsTheShift()
    {
        double[] real = [1, 2, 3, 4], shifted = [2, 3, 4, 5];
        var distance = ValueDistance.Between("x", real, shifted);
        Assert.Equal(1 / Math.Sqrt(1.25), distance.Wasserstein, 1e-12);
        Assert.Equal(.25, distance.KolmogorovSmirnov, 1e-12);
        Assert.Equal((2.5, 3.5), (distance.RealMedian, distance.SyntheticMedian));
    }

    [Fact]
    public void Subsets_OfOneSeed_AreTheSameEachTime()
    {
        using var scope = NewDisposeScope();
        var x = rand(40, 8, generator: new Generator(1));
        var y = rand(50, 8, generator: new Generator(2));
        Assert.Equal(KernelDistance.OverSubsets(x, y, 20, 5, new(3)), KernelDistance.OverSubsets(x, y, 20, 5, new(3)));
        Assert.Equal(40, KernelDistance.OverSubsets(x, y, 1000, 2, new(3)).SubsetSize);
    }

    private static void ForEachCase(Action<JsonNode, Tensor, Tensor> check)
    {
        using var scope = NewDisposeScope();
        var golden = SegmentationFixtures.Tensors("distribution_metrics");
        foreach (var node in SegmentationFixtures.Json("distribution_metrics")["cases"]!.AsArray())
        {
            var name = node!["name"]!.GetValue<string>();
            check(node, golden[$"{name}.real"], golden[$"{name}.fake"]);
        }
    }

    private static double[][] Matrix(Tensor t) => [.. t.data<double>().ToArray().Chunk((int)t.shape[1])];

    private static int[][] Rows(Tensor t) => [.. t.data<long>().ToArray().Select(i => (int)i).Chunk((int)t.shape[1])];

    internal static void Near(JsonNode expected, double actual, double absolute, double relative)
    {
        var e = expected.GetValue<double>();
        Assert.True(Math.Abs(e - actual) <= absolute + relative * Math.Abs(e),
            $"{expected.GetPath()}: {e:R} expected, {actual:R} found");
    }
}
