using System.Text.Json.Nodes;
using Siamorph.Evaluation.ImageSets;
using Siamorph.Imaging;
using Siamorph.Segmentation.Networks;
using Siamorph.Tests.Segmentation;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests.Evaluation;

public class FeatureNetworkTests
{
    [Fact]
    public void Inception_Narrow_EqualsTheReference()
    {
        using var scope = NewDisposeScope();
        var golden = SegmentationFixtures.Tensors("fid_inception_div8");
        using var network = new InceptionNetwork(new(golden.Under("weights."), "narrow"));
        var node = SegmentationFixtures.Json("fid_inception")["div8"]!;
        Assert.Equal(node["params"]!.GetValue<long>(),
            Parameters(golden.Where(p => p.Key.StartsWith("weights.", StringComparison.Ordinal))));
        var batch = network.Prepare(golden["image_u8"].to_type(ScalarType.Float32));
        SegmentationFixtures.Close(golden["resized_0_5"], Corner((batch + 1) / 2, golden["resized_0_5"]), 1e-5, 1e-5, "resized");
        var (shapes, stems, seen) = (node["block_out_shapes"]!, node["stem_shapes"]!.AsArray(), 0);
        var features = network.Features(batch, (name, value) =>
        {
            if (shapes[name] is { } shape) Assert.Equal(HashTensors.Shape(shape), value.shape);
            // After the stem's two blocks, and where the wrapper's third block ends.
            var stem = name switch { "block0" => 0, "block1" => 1, "Mixed_6e" => 2, _ => -1 };
            if (stem >= 0) Assert.Equal(HashTensors.Shape(stems[stem]!), value.shape);
            if (shapes[name] is not null || stem >= 0) seen++;
            if (golden.TryGetValue($"mean.{name}", out var mean))
                SegmentationFixtures.Close(mean, value.mean([2, 3]), 1e-5, 1e-4, name);
            var pool = name switch { "block0" or "block1" => $"pool_{name}_mean", "Mixed_6e" => "pool_block2_mean", _ => "" };
            if (golden.TryGetValue(pool, out mean)) SegmentationFixtures.Close(mean, value.mean([2, 3]), 1e-5, 1e-4, pool);
        });
        SegmentationFixtures.Close(golden["features"], features, 1e-5, 1e-4, "features");
        Assert.Equal(shapes.AsObject().Count + 2, seen);
        Assert.Equal(HashTensors.Shape(stems[3]!), (long[])[.. features.shape, 1, 1]);
        Assert.Equal(node["feature_dim"]!.GetValue<long>(), features.shape[1]);
    }

    [Fact]
    public void Inception_FullSize_EqualsTheReference()
    {
        using var scope = NewDisposeScope();
        var (node, golden) = (SegmentationFixtures.Json("fid_inception"),
            SegmentationFixtures.Tensors("fid_inception_full_hash_outputs"));
        var (seed, gain) = (node["seed"]!.GetValue<uint>(), node["hash_full"]!["gain"]!.GetValue<double>());
        var weights = HashTensors.Weights(node["full_state_dict_keys"]!.AsObject(), seed, gain,
            k => !k.EndsWith("num_batches_tracked", StringComparison.Ordinal) && !k.StartsWith("fc.", StringComparison.Ordinal));
        // The images as floor(256 u) levels, their shape written in brackets.
        var shape = node["hash_full"]!["image"]!.GetValue<string>().Split('(', ')')[3].Split(',').Select(long.Parse).ToArray();
        var levels = (HashTensors.Image("image", seed, shape) * 256).floor();
        using var network = new InceptionNetwork(new(weights, "hashed"));
        var features = network.Features(network.Prepare(levels), (name, value) =>
        {
            var pool = name switch { "block0" => "pool64", "block1" => "pool192", "Mixed_6e" => "pool768", _ => "" };
            if (!golden.TryGetValue(pool, out var mean)) return;
            SegmentationFixtures.Close(mean, value.mean([2, 3]), 1e-4, 1e-3, pool);
            // A summary of the same: the first image's first channels.
            var some = node["hash_full"]![$"{pool}_mean"]!.AsArray();
            for (var c = 0; c < some.Count; c++)
                DistributionMeasuresTests.Near(some[c]!, value.mean([2, 3])[0, c].item<float>(), 1e-4, 1e-3);
        });
        SegmentationFixtures.Close(golden["features_2048"], features, 1e-4, 1e-3, "features");
        SameNorms("feature_norms", features);
        DistributionMeasuresTests.Near(node["hash_full"]!["feature_l2_between_two_images"]!,
            (features[0] - features[1]).norm().item<float>(), 0, 1e-3);
        using var other = new InceptionNetwork(network.Weights, InceptionResize.Tf1);
        var resized = other.Prepare(levels);
        var corner = golden["tf1_resized_corner"];
        SegmentationFixtures.Close(corner, Matching(corner, Corner(resized, corner)), 1e-2, 1e-5, "corner");
        var fromResized = other.Features(resized);
        SegmentationFixtures.Close(golden["features_2048_tf1_resize"], fromResized, 1e-4, 1e-3, "TensorFlow's resize");
        SameNorms("tf1_resize_feature_norms", fromResized);

        void SameNorms(string key, Tensor rows)
        {
            var norms = node["hash_full"]![key]!.AsArray();
            for (var i = 0; i < norms.Count; i++)
                DistributionMeasuresTests.Near(norms[i]!, rows[i].norm().item<float>(), 0, 1e-3);
        }
    }

    [Fact]
    public void Inception_UnderTheWrappersKeys_IsThePublishedFile()
    {
        using var scope = NewDisposeScope();
        var node = SegmentationFixtures.Json("fid_inception");
        static Dictionary<string, Tensor> Zeros(JsonObject keys) =>
            keys.Where(k => !k.Key.EndsWith("num_batches_tracked", StringComparison.Ordinal))
            .ToDictionary(k => k.Key, k => zeros(HashTensors.Shape(k.Value!)));
        var published = Zeros(node["full_state_dict_keys"]!.AsObject());
        var wrapper = Zeros(node["wrapper_state_dict_keys"]!.AsObject());
        Assert.Equal(node["full_wrapper_params"]!.GetValue<long>(), Parameters(wrapper));
        using var network = new InceptionNetwork(new(wrapper, "wrapper"));
        foreach (var (key, tensor) in published.Where(p => !p.Key.StartsWith("fc.", StringComparison.Ordinal)))
        {
            Assert.True(network.Weights.Has(key), key);
            Assert.Equal(tensor.shape, network.Weights[key].shape);
        }
        foreach (var (block, names) in node["div8"]!["wrapper_block_to_name"]!.AsObject())
            Assert.Equal(names!.AsArray().Select(n => n!.GetValue<string>()).Where(n => !n.StartsWith('(')),
                InceptionNetwork.WrapperBlocks[int.Parse(block[1..], System.Globalization.CultureInfo.InvariantCulture)]);
    }

    [Theory]
    [InlineData("alex")]
    [InlineData("vgg")]
    [InlineData("squeeze")]
    public void Perceptual_OfFullTrunks_EqualsTheReference(string trunk)
    {
        using var scope = NewDisposeScope();
        var json = SegmentationFixtures.Json("lpips");
        var (seed, node) = (json["seed"]!.GetValue<uint>(), json["hash_full"]![trunk]!);
        var weights = HashTensors.Weights(node["keys"]!.AsObject(), seed, node["gain_trunk"]!.GetValue<double>(),
            k => k.StartsWith("net.", StringComparison.Ordinal));
        foreach (var (key, shape) in node["keys"]!.AsObject()
            .Where(k => k.Key.StartsWith("lin", StringComparison.Ordinal)
            && k.Key.EndsWith("model.1.weight", StringComparison.Ordinal)))
            weights[key] = HashTensors.Weight(key, seed, node["gain_lin"]!.GetValue<double>(), HashTensors.Shape(shape!)).abs();
        var all = new NetworkWeights(weights, trunk);
        using var distance = new PerceptualDistance(all, all);
        Tensor Input(string name) => HashTensors.Image(name, seed, 1, 3, 64, 64) * 2 - 1;
        var (first, second) = (Input("input0"), Input("input1"));
        var layers = distance.Layers(first, second).Select(l => l.mean().item<float>()).ToArray();
        for (var i = 0; i < layers.Length; i++) DistributionMeasuresTests.Near(node["per_layer"]![i]!, layers[i], 1e-9, 1e-4);
        DistributionMeasuresTests.Near(node["distance"]!, distance.Distance(first, second).item<float>(), 0, 1e-4);
        Assert.Equal(0, distance.Distance(first, first).item<float>());
    }

    [Theory]
    [InlineData("alex", 5)]
    [InlineData("vgg", 5)]
    [InlineData("squeeze", 7)]
    public void Perceptual_OfStoredFeatures_EqualsTheReference(string trunk, int stages)
    {
        using var scope = NewDisposeScope();
        var (node, golden) = (SegmentationFixtures.Json("lpips")["feature_level"]![trunk]!,
            SegmentationFixtures.Tensors("lpips_feature_level"));
        var real = SegmentationFixtures.Tensors("lpips_lin_v0p1_THIRD_PARTY_BSD2");
        for (var image = 0; image < 2; image++)
        {
            double random = 0, learnt = 0, plain = 0;
            for (var k = 0; k < stages; k++)
            {
                double Of(Tensor? linear) => PerceptualDistance.Layer(golden[$"{trunk}.feat0.{k}"], golden[$"{trunk}.feat1.{k}"],
                    linear).mean([1, 2, 3])[image].item<float>();
                var (r, l) = (Of(golden[$"{trunk}.lin.{k}"]), Of(real[$"{trunk}.lin{k}.model.1.weight"]));
                DistributionMeasuresTests.Near(node["random_lin_per_layer"]![k]![image]!, r, 1e-6, 0);
                DistributionMeasuresTests.Near(node["real_lin_per_layer"]![k]![image]!, l, 1e-6, 0);
                (random, learnt, plain) = (random + r, learnt + l, plain + Of(null));
            }
            DistributionMeasuresTests.Near(node["random_lin_total"]![image]!, random, 1e-6, 0);
            DistributionMeasuresTests.Near(node["real_lin_total"]![image]!, learnt, 1e-6, 0);
            DistributionMeasuresTests.Near(node["baseline_no_lin_total"]![image]!, plain, 2e-6, 0);
        }
    }

    [Fact]
    public void Perceptual_OfARandomTrunk_EqualsTheReference()
    {
        using var scope = NewDisposeScope();
        var golden = SegmentationFixtures.Tensors("lpips_squeeze_random_backbone");
        var all = new NetworkWeights(golden.Where(p => p.Value.dim() > 0 && !p.Key.StartsWith("input", StringComparison.Ordinal))
            .ToDictionary(p => p.Key, p => p.Value.clone()), "random");
        using var distance = new PerceptualDistance(all, all);
        var (first, second) = (golden["input0"], golden["input1"]);
        SegmentationFixtures.Close(golden["scaled0"], distance.Scaled(first), 1e-5, 1e-5);
        SegmentationFixtures.Close(golden["distance"].flatten(), distance.Distance(first, second), 1e-5);
        var summary = SegmentationFixtures.Json("lpips")["feature_level"]!["squeeze_random_backbone"]!;
        // The published flag "normalize" takes images in [0,1] and makes [-1,1] of them.
        Tensor Again(Tensor x) => (x + 1) / 2 * 2 - 1;
        var (plain, flagged) = (distance.Distance(first, second), distance.Distance(Again(first), Again(second)));
        for (var i = 0; i < plain.shape[0]; i++)
        {
            DistributionMeasuresTests.Near(summary["distance"]![i]!, plain[i].item<float>(), 1e-6, 1e-4);
            DistributionMeasuresTests.Near(summary["distance_normalize_flag"]![i]!, flagged[i].item<float>(), 1e-6, 1e-4);
        }
        SegmentationFixtures.Close(golden["spatial_map"], distance.Map(first, second), 1e-5);
        var layers = distance.Layers(first, second);
        for (var k = 0; k < layers.Count; k++)
            SegmentationFixtures.Close(golden[$"per_layer.{k}"].flatten(), layers[k].mean([1, 2, 3]), 1e-5);
        var shapes = summary["feature_shapes"]!.AsArray();
        var stages = distance.Stages(distance.Scaled(first));
        for (var k = 0; k < stages.Count; k++)
        {
            Assert.Equal(HashTensors.Shape(shapes[k]!), stages[k].shape);
            var (mean, deviation) = (stages[k].mean().item<float>(), stages[k].std().item<float>());
            Assert.Equal(1, mean / golden["feat0_mean_std"][k, 0].item<float>(), 1e-4f);
            Assert.Equal(1, deviation / golden["feat0_mean_std"][k, 1].item<float>(), 1e-4f); // whichever divisor
        }
    }

    [Fact]
    public void Resizes_OfTheReferencePicture_EqualEachTool()
    {
        using var scope = NewDisposeScope();
        var golden = SegmentationFixtures.Tensors("preprocessing");
        var source = golden["resize.image_u8"];
        var image = new RgbImage(new((int)source.shape[1], (int)source.shape[0]), source.data<byte>().ToArray());
        var levels = FeatureNetwork.Levels(image);
        var normalised = golden["resize.albumentations_normalized"].permute(2, 0, 1).unsqueeze(0);
        foreach (var (key, expected) in golden.Where(p => p.Key.StartsWith("resize.", StringComparison.Ordinal)
            && p.Key.Split('_')[^1].Contains('x')))
        {
            var side = key.Split('_')[^1].Split('x').Select(int.Parse).ToArray();
            Tensor Hwc(Tensor t) => t.squeeze(0).permute(1, 2, 0);
            Tensor Nearest() => Operators.NearestTo(levels, zeros(1, 1, side[0], side[1]));
            Tensor Pil(PillowFilter filter) =>
                tensor(PillowResize.Image(image, new(side[1], side[0]), filter).Pixels, [side[0], side[1], 3], ScalarType.Byte);
            var kind = key["resize.".Length..key.LastIndexOf('_')];
            (Tensor? Actual, double Tolerance) own = kind switch
            {
                "pil_bilinear_u8" => (Pil(PillowFilter.Bilinear), 0),
                "pil_bicubic_u8" => (Pil(PillowFilter.Bicubic), 0),
                "pil_lanczos_u8" => (Pil(PillowFilter.Lanczos), 0),
                "cleanfid_pil_bicubic_float" => (Hwc(FeatureResize.CleanFid(levels, side[0], side[1])), 1e-3),
                "cv2_linear_float" => (Hwc(Operators.ScaleTo(normalised, side[0], side[1], corners: false)), 1e-5 * 255),
                "cv2_linear_u8" => (Hwc(Operators.ScaleTo(levels, side[0], side[1], corners: false)), 1),
                "cv2_nearest_u8" => (Hwc(Nearest()), 0),
                "pil_nearest_u8" => (NearestMasks(image, side[1], side[0]), 0),
                "torch_bilinear_ac0" => (FeatureResize.TorchBilinear(levels, side[0], side[1]), 1e-3),
                "torch_bilinear_ac1" => (Operators.ScaleTo(levels, side[0], side[1], corners: true), 1e-3),
                "torch_nearest" => (Nearest(), 0),
                "torch_bicubic" => (FeatureResize.TorchBicubic(levels, side[0], side[1]), 1e-3),
                "torch_bilinear_antialias" => (FeatureResize.Pillow(levels, side[0], side[1], PillowFilter.Bilinear), 1e-3),
                "tf1_bilinear" => (FeatureResize.Tf1Bilinear(levels, side[0], side[1]), 1e-3),
                _ => (null, 0),
            };
            Assert.True(own.Actual is not null, key);
            // Floating point results are stored with levels either 0…255 or 0…1; a large one by its corner.
            var actual = Matching(expected, Corner(own.Actual!, expected));
            var scale = expected.dtype != ScalarType.Byte
                && expected.max().to_type(ScalarType.Float64).item<double>() <= 2 ? 1 / 255.0 : 1;
            SegmentationFixtures.Close(expected, actual, own.Tolerance * scale, 1e-5, key);
        }
    }

    [Fact]
    public void MobileNetwork_WithSuppliedWeights_GivesStableFeatures()
    {
        using var scope = NewDisposeScope();
        using var network = FeatureNetwork.Load(SharedMaterial.Path("weights", "mobilenet_v2_imagenet_dequant_f32.safetensors"));
        Assert.Equal("MobileNetV2", network.Name);
        Assert.Equal(64, network.Weights.Hash.Length);
        var image = new RgbImage(new(60, 50));
        for (var i = 0; i < image.Pixels.Length; i++) image.Pixels[i] = (byte)(i * 31 % 251);
        var one = network.Prepare(image).unsqueeze(0);
        var features = network.Features(cat([one, zeros_like(one)]));
        Assert.Equal([2L, 1280L], features.shape);
        SegmentationFixtures.Close(features[..1], network.Features(one), 1e-4, 1e-4, "alone or in a batch");
        Assert.Equal(1, ((MobileNetwork)network).Classify(one).sum().item<float>(), 1e-4f);
    }

    [Fact]
    public void Clip_OfBothLayouts_GivesUnitEmbeddings()
    {
        using var scope = NewDisposeScope();
        var plain = new Dictionary<string, Tensor>();
        void Add(string key, params long[] shape) => plain[key] = HashTensors.Weight(key, 4, 1, shape);
        const long width = 64;
        Add("vision_model.embeddings.class_embedding", width);
        Add("vision_model.embeddings.patch_embedding.weight", width, 3, 8, 8);
        Add("vision_model.embeddings.position_embedding.weight", 17, width);
        foreach (var norm in new[] { "pre_layrnorm", "post_layernorm", "encoder.layers.0.layer_norm1",
            "encoder.layers.0.layer_norm2" })
        {
            Add($"vision_model.{norm}.weight", width);
            Add($"vision_model.{norm}.bias", width);
        }
        foreach (var (name, rows, columns) in new[] { ("self_attn.q_proj", width, width), ("self_attn.k_proj", width, width),
            ("self_attn.v_proj", width, width), ("self_attn.out_proj", width, width), ("mlp.fc1", 128L, width),
            ("mlp.fc2", width, 128L) })
        {
            Add($"vision_model.encoder.layers.0.{name}.weight", rows, columns);
            Add($"vision_model.encoder.layers.0.{name}.bias", rows);
        }
        Add("visual_projection.weight", 24, width);
        var open = OpenAi(plain);
        using var first = new ClipImageTower(new(plain, "plain"));
        using var second = new ClipImageTower(new(open, "open"));
        Assert.Equal((32, 32), (first.Side, second.Side));
        var batch = HashTensors.Image("image", 1, 2, 3, 32, 32);
        var (a, b) = (first.Features(batch), second.Features(batch));
        SegmentationFixtures.Close(a, b, 1e-6);
        SegmentationFixtures.Close(ones(2), a.square().sum(1), 1e-5);
    }

    private static Dictionary<string, Tensor> OpenAi(Dictionary<string, Tensor> plain)
    {
        const string root = "vision_model.encoder.layers.0.", open = "visual.transformer.resblocks.0.";
        var result = new Dictionary<string, Tensor>
        {
            ["visual.class_embedding"] = plain["vision_model.embeddings.class_embedding"].clone(),
            ["visual.conv1.weight"] = plain["vision_model.embeddings.patch_embedding.weight"].clone(),
            ["visual.positional_embedding"] = plain["vision_model.embeddings.position_embedding.weight"].clone(),
            ["visual.proj"] = plain["visual_projection.weight"].t().contiguous(),
        };
        foreach (var part in new[] { "weight", "bias" })
        {
            result[$"visual.ln_pre.{part}"] = plain[$"vision_model.pre_layrnorm.{part}"].clone();
            result[$"visual.ln_post.{part}"] = plain[$"vision_model.post_layernorm.{part}"].clone();
            result[$"{open}ln_1.{part}"] = plain[$"{root}layer_norm1.{part}"].clone();
            result[$"{open}ln_2.{part}"] = plain[$"{root}layer_norm2.{part}"].clone();
            result[$"{open}mlp.c_fc.{part}"] = plain[$"{root}mlp.fc1.{part}"].clone();
            result[$"{open}mlp.c_proj.{part}"] = plain[$"{root}mlp.fc2.{part}"].clone();
            result[$"{open}attn.out_proj.{part}"] = plain[$"{root}self_attn.out_proj.{part}"].clone();
            result[$"{open}attn.in_proj_{part}"] = cat([.. "qkv".Select(c => plain[$"{root}self_attn.{c}_proj.{part}"])], 0);
        }
        return result;
    }

    // Each colour as a mask.
    private static Tensor NearestMasks(RgbImage image, int width, int height)
    {
        byte[] Channel(int c) => [.. Enumerable.Range(0, image.Pixels.Length / 3).Select(i => image.Pixels[3 * i + c])];
        return stack(Enumerable.Range(0, 3)
            .Select(c => tensor(Resize.Mask(new(image.Size, Channel(c)), new(width, height)).Labels, [height, width],
            ScalarType.Byte)).ToArray(), 2);
    }

    private static long Parameters(IEnumerable<KeyValuePair<string, Tensor>> tensors) =>
        tensors.Where(p => !p.Key.Contains("running_", StringComparison.Ordinal)).Sum(p => p.Value.numel());

    // The upper left part of a result, where only that is stored.
    private static Tensor Corner(Tensor actual, Tensor expected)
    {
        for (var d = 0; d < expected.dim(); d++)
            if (expected.shape[d] < actual.shape[d]) actual = actual.narrow(d, 0, expected.shape[d]);
        return actual;
    }

    // Levels in 0…1, -1…1 or 0…255, whichever the reference stored.
    private static Tensor Matching(Tensor expected, Tensor actual)
    {
        var (e, a) = (expected.to_type(ScalarType.Float64), actual.to_type(ScalarType.Float64));
        Tensor[] scales = [a, a / 255, a * 128 + 128];
        return scales.MinBy(s => (s - e).abs().max().item<double>())!;
    }
}
