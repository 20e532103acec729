using System.Text.Json.Nodes;
using Siamorph.Evaluation.Masks;
using Siamorph.Evaluation.Radiomics;
using Siamorph.Imaging;
using Siamorph.Tests.Segmentation;
using static TorchSharp.torch;

namespace Siamorph.Tests.Evaluation;

public class RadiomicsTests
{
    private const double Tolerance = 1e-9;

    [Theory]
    [InlineData("pyradiomics_raw_binwidth16_mask")]
    [InlineData("pyradiomics_raw_binwidth16_full")]
    [InlineData("pyradiomics_frdv1_norm100_binwidth5_shift300_mask")]
    [InlineData("pyradiomics_frdv1_norm100_binwidth5_shift300_full")]
    [InlineData("pyradiomics_raw_bincount32_mask")]
    public void Features_OnReferenceImages_EqualPyradiomics(string setting)
    {
        foreach (var (node, image, mask, _) in Images())
        {
            var region = setting.EndsWith("full", StringComparison.Ordinal) ? RadiomicRegion.Whole(image)
                : RadiomicRegion.Of(image, mask);
            Near(node["normalise"]!["mean"]!, region.Values.Average());
            Near(node["normalise"]!["std_ddof1"]!, region.Deviation);
            var frd = setting.Contains("frdv1", StringComparison.Ordinal);
            if (frd) region = region.Normalised();
            var bins = frd ? region.BinsOfWidth(5)
                : setting.Contains("width16", StringComparison.Ordinal) ? region.BinsOfWidth(16) : region.BinsOfCount(32);
            Same(node[setting]!, region, bins, frd ? 300 : 0);
        }
    }

    [Fact]
    public void Wavelets_OfTheReference_HaveItsFilters()
    {
        var filters = SegmentationFixtures.Json("radiomics")["coif1"]!;
        Assert.Equal(Numbers(filters["dec_lo"]!), CoifletWavelet.Low);
        Assert.Equal(Numbers(filters["dec_hi"]!), CoifletWavelet.High);
    }

    [Fact]
    public void LaplacianOfGaussian_OnReferenceImages_EqualsSciPy()
    {
        var compared = 0;
        foreach (var (node, image, _, golden) in Images())
        {
            var start = $"{node["id"]}.log_sigma";
            foreach (var (key, expected) in golden.Where(p => p.Key.StartsWith(start, StringComparison.Ordinal)))
            {
                var sigma = double.Parse(key[start.Length..].Split('_')[0], System.Globalization.CultureInfo.InvariantCulture);
                var own = LaplacianOfGaussian.Of(image.Size, RadiomicRegion.Whole(image).Normalised().Values, sigma);
                SegmentationFixtures.Close(expected, tensor(own, expected.shape), 1e-9, 1e-9, key);
                compared++;
            }
        }
        Assert.True(compared > 0);
    }

    [Fact]
    public void Wavelets_OnReferenceImages_EqualPyradiomics()
    {
        foreach (var (node, image, mask, golden) in Images())
        {
            if (!golden.TryGetValue($"{node["id"]}.wavelet_LL", out _)) continue;
            var region = RadiomicRegion.Of(image, mask);
            var normalised = region.Normalised();
            foreach (var (band, values) in CoifletWavelet.Bands(image.Size, normalised.Values))
            {
                var expected = golden[$"{node["id"]}.wavelet_{band}"].data<double>().ToArray();
                for (var i = 0; i < values.Length; i++) Assert.Equal(expected[i], values[i], 1e-9);
            }
            foreach (var (band, values) in CoifletWavelet.Bands(image.Size, normalised.Values))
            {
                var filtered = normalised with { Values = values };
                Same(node["wavelet_coif1_swt_frdv1_mask"]![band]!, filtered, filtered.BinsOfWidth(5), 300);
            }
        }
    }

    [Fact]
    public void Matrices_OnReferenceImages_EqualPyradiomics()
    {
        foreach (var (node, image, mask, golden) in Images())
        {
            var (id, bins) = (node["id"]!.ToString(), RadiomicRegion.Of(image, mask).BinsOfWidth(16));
            Assert.Equal(golden[$"{id}.binned16_mask"].data<int>().ToArray(), bins);
            var gradient = golden[$"{id}.sobel_magnitude_div8"].data<double>().ToArray();
            var own = BoundaryContrast.Gradient(image);
            for (var i = 0; i < own.Length; i++) Assert.Equal(gradient[i], own[i], 1e-9);
            if (!golden.TryGetValue($"{id}.P_glcm_norm_mask", out var glcm)) continue;
            var levels = GlcmFeatures.Levels(bins);
            Assert.Equal(golden[$"{id}.glcm_gray_levels"].data<int>().ToArray(), levels);
            if (node["matrix_axes"] is { } axes)
            {
                var runs = axes["glrlm_shape"]!.AsArray();
                Assert.Equal([levels.Length, Numbers(axes["glrlm_run_lengths"]!).Length, GlcmFeatures.Directions.Length],
                    Numbers(runs).Select(n => (int)n));
                Assert.Equal(axes["angles"]!.AsArray().Select(a => ((int)a![0]!, (int)a[1]!)), GlcmFeatures.Directions);
            }
            for (var d = 0; d < 4; d++)
            {
                var (dy, dx) = GlcmFeatures.Directions[3 - d]; // stored from the last to the first
                var matrix = GlcmFeatures.Normalised(image.Size, bins, levels, dy, dx)!;
                SegmentationFixtures.Close(glcm.select(2, d), tensor(matrix), 1e-12);
                if (golden.TryGetValue($"{id}.P_glrlm_mask", out var glrlm))
                    Counts(glrlm.select(2, d), levels, Numbers(node["matrix_axes"]!["glrlm_run_lengths"]!),
                        GlrlmGlszmFeatures.RunCounts(image.Size, bins, dy, dx));
            }
            if (!golden.TryGetValue($"{id}.P_ngtdm_mask", out var ngtdm)) continue;
            Counts(golden[$"{id}.P_glszm_mask"], levels, Numbers(node["matrix_axes"]!["glszm_sizes"]!),
                GlrlmGlszmFeatures.ZoneCounts(image.Size, bins));
            Counts(golden[$"{id}.P_gldm_mask"], levels, Numbers(node["matrix_axes"]!["gldm_sizes"]!),
                GlrlmGlszmFeatures.DependenceCounts(image.Size, bins));
            var rows = NgtdmFeatures.Matrix(image.Size, bins);
            var flat = rows.SelectMany(r => new[] { r.Count, r.Difference, r.Level }).ToArray();
            SegmentationFixtures.Close(ngtdm, tensor(flat, [rows.Count, 3]), 1e-9);
        }
    }

    [Fact]
    public void Shapes_OfReferenceMasks_EqualTheReference()
    {
        foreach (var (node, image, mask, _) in Images())
        {
            var shape = RegionShape.Of(mask)!;
            var mesh = node["shape2D"]!;
            Near(mesh["MeshSurface"]!, shape.MeshSurface);
            Near(mesh["PixelSurface"]!, shape.Area);
            Near(mesh["Perimeter"]!, shape.MeshPerimeter);
            Near(mesh["PerimeterSurfaceRatio"]!, shape.MeshPerimeter / shape.MeshSurface);
            Near(mesh["Sphericity"]!, shape.Sphericity);
            Near(mesh["MajorAxisLength"]!, shape.MajorAxis);
            Near(mesh["MinorAxisLength"]!, shape.MinorAxis);
            Near(mesh["Elongation"]!, shape.Elongation);
            Near(mesh["MaximumDiameter"]!, shape.MaximumDiameter);
            var region = node["regionprops"]!;
            Near(region["area_fraction"]!, shape.AreaFraction);
            Near(region["perimeter"]!, shape.Perimeter);
            Near(region["perimeter_crofton"]!, shape.CroftonPerimeter);
            Near(region["eccentricity"]!, shape.Eccentricity);
            Near(region["convex_area"]!, shape.ConvexArea);
            Near(region["solidity"]!, shape.Solidity);
            Near(region["extent"]!, shape.Extent);
            Near(region["orientation"]!, shape.Orientation);
            Near(region["area"]!, shape.Area);
            Near(region["major_axis_length"]!, shape.MajorAxis);
            Near(region["minor_axis_length"]!, shape.MinorAxis);
            Near(region["equivalent_diameter"]!, shape.EquivalentDiameter);
            Near(region["feret_diameter_max"]!, shape.FeretDiameter);
            Near(region["inertia_eigvals"]![0]!, shape.Variances.Large);
            Near(region["inertia_eigvals"]![1]!, shape.Variances.Small);
            var box = shape.BoundingBox;
            Assert.Equal(Numbers(region["bbox"]!), (double[])[box.Top, box.Left, box.Bottom, box.Right]);
            Near(region["compactness_4piA_over_P2"]!, shape.Compactness);
            Near(region["euler_number_8conn"]!, shape.EulerNumber);
            Near(region["n_components_8conn"]!, ConnectedComponents.Of(mask).Count);
            Near(region["centroid_row_col"]![0]!, shape.Centroid.Row);
            Near(region["centroid_row_col"]![1]!, shape.Centroid.Column);
            for (var i = 0; i < 7; i++) Near(region["moments_hu"]![i]!, shape.HuMoments[i], 1e-12);
            var boundary = BoundaryContrast.Of(image, mask)!;
            void Edge(string name, double value) => Near(node["boundary"]![name]!, value);
            Edge("mean_gradient_boundary", boundary.RingGradient);
            Edge("mean_gradient_image", boundary.PictureGradient);
            Edge("gradient_ratio", boundary.GradientRatio);
            Edge("band3_mean_inside", boundary.Inside.Mean);
            Edge("band3_mean_outside", boundary.Outside.Mean);
            Edge("band3_contrast", boundary.BandContrast);
            Edge("region_mean_difference", boundary.RegionDifference);
            Edge("n_band", boundary.RingPixels);
            Edge("n_inside3", boundary.Inside.Count);
            Edge("n_outside3", boundary.Outside.Count);
        }
    }

    [Fact]
    public void CompactVectors_OfReferenceImages_EqualTheReference()
    {
        var compact = SegmentationFixtures.Json("radiomics")["compact"]!;
        Assert.Equal(compact["texture_names"]!.AsArray().Select(n => n!.GetValue<string>()), CompactRadiomics.TextureNames);
        Assert.Equal(compact["shape_names"]!.AsArray().Select(n => n!.GetValue<string>()), CompactRadiomics.ShapeNames);
        foreach (var (node, image, mask, _) in Images())
        {
            var expected = compact["vectors"]![node["name"]!.GetValue<string>()]!;
            Same(expected["mask"]!, CompactRadiomics.Texture(RadiomicRegion.Of(image, mask)));
            Same(expected["full"]!, CompactRadiomics.Texture(RadiomicRegion.Whole(image)));
            Same(expected["shape"]!, CompactRadiomics.Shape(image, mask)!);
        }
        void Same(JsonNode numbers, double[] values)
        {
            Assert.Equal(numbers.AsArray().Count, values.Length);
            for (var i = 0; i < values.Length; i++) Near(numbers[i]!, values[i]);
        }
    }

    [Fact]
    public void Luma_OfTheReferencePicture_EqualsItsGreyImage()
    {
        foreach (var (node, image, _, golden) in Images())
        {
            if (!golden.TryGetValue($"{node["id"]}.rgb", out var rgb)) continue;
            Assert.Equal(image.Levels, RadiomicRegion.Luma(new(image.Size, rgb.data<byte>().ToArray())).Levels);
        }
    }

    [Fact]
    public void GreyCooccurrence_OnReferenceImages_EqualsScikitImage()
    {
        foreach (var (node, image, _, _) in Images())
        {
            var bins = Array.ConvertAll(image.Levels, l => l / 8 + 1);
            var levels = GlcmFeatures.Levels(bins);
            (int, int)[][] offsets = [[(0, 1), (1, 1), (1, 0), (1, -1)], [(0, 2), (1, 1), (2, 0), (1, -1)]];
            var stored = node["skimage_graycoprops_levels32_full"]!;
            // scikit-image's name, its value in our features of one matrix.
            (string Name, Func<IReadOnlyDictionary<string, double>, double> Value)[] properties =
            [
                ("contrast", f => f["Contrast"]), ("dissimilarity", f => f["DifferenceAverage"]), ("homogeneity", f => f["Idm"]),
                ("ASM", f => f["JointEnergy"]), ("energy", f => Math.Sqrt(f["JointEnergy"])),
                ("correlation", f => f["Correlation"]),
            ];
            Assert.Equal(stored.AsObject().Select(p => p.Key).Order(), properties.Select(p => p.Name).Order());
            for (var distance = 0; distance < 2; distance++)
            {
                IReadOnlyDictionary<string, double>[] features =
                    [.. offsets[distance].Select(o =>
                        GlcmFeatures.OfMatrix(GlcmFeatures.Normalised(image.Size, bins, levels, o.Item1, o.Item2)!, levels,
                            withMcc: false))];
                foreach (var (name, value) in properties)
                {
                    for (var angle = 0; angle < features.Length; angle++)
                        Near(stored[name]!["per_distance_angle"]![distance]![angle]!, value(features[angle]));
                    if (distance == 0) Near(stored[name]!["mean_d1"]!, features.Average(value));
                }
            }
        }
    }

    private static void Same(JsonNode expected, RadiomicRegion region, int[] bins, double shift)
    {
        Compare("firstorder", FirstOrderFeatures.Of(region, bins, shift));
        Compare("glcm", GlcmFeatures.Of(region.Size, bins));
        Compare("glrlm", GlrlmGlszmFeatures.Runs(region.Size, bins));
        Compare("glszm", GlrlmGlszmFeatures.Zones(region.Size, bins));
        Compare("gldm", GlrlmGlszmFeatures.Dependences(region.Size, bins));
        Compare("ngtdm", NgtdmFeatures.Of(region.Size, bins));
        void Compare(string kind, IReadOnlyDictionary<string, double> features)
        {
            if (expected[kind] is not JsonObject numbers) return;
            foreach (var (name, value) in numbers) if (value is not null) Near(value, features[name]);
        }
    }

    private static IEnumerable<(JsonNode Node, GreyImage Image, LabelMap Mask, Dictionary<string, Tensor> Golden)> Images()
    {
        using var scope = NewDisposeScope();
        var golden = SegmentationFixtures.Tensors("radiomics");
        foreach (var node in SegmentationFixtures.Json("radiomics")["images"]!.AsArray())
        {
            var (image, mask) = (golden[$"{node!["id"]}.image"], golden[$"{node["id"]}.mask"]);
            var size = new ImageSize((int)image.shape[1], (int)image.shape[0]);
            yield return (node, new(size, image.data<byte>().ToArray(), true), new(size, mask.data<byte>().ToArray()), golden);
        }
    }

    private static double[] Numbers(JsonNode array) => [.. array.AsArray().Select(n => n!.GetValue<double>())];

    private static void Counts(Tensor expected, int[] levels, double[] sizes, Dictionary<(int Level, int Size), long> counts)
    {
        var own = new double[levels.Length, sizes.Length];
        for (var i = 0; i < levels.Length; i++)
            for (var j = 0; j < sizes.Length; j++) own[i, j] = counts.GetValueOrDefault((levels[i], (int)sizes[j]));
        SegmentationFixtures.Close(expected, tensor(own), 0);
        Assert.Equal(counts.Values.Sum(), own.Cast<double>().Sum());
    }

    // Relative to the number, with room for sums that cancel.
    private static void Near(JsonNode expected, double actual, double absolute = 1e-10)
    {
        var e = expected.GetValue<double>();
        Assert.True(Math.Abs(e - actual) <= absolute + Tolerance * Math.Abs(e),
            $"{expected.GetPath()}: {e:R} expected, {actual:R} found");
    }
}
