using Siamorph.Evaluation.ImageSets;
using Siamorph.Segmentation.Networks;
using Siamorph.Weights;
using static Siamorph.Tests.Segmentation.SegmentationFixtures;
using static TorchSharp.torch;

namespace Siamorph.Tests.Segmentation;

/// <summary>
/// The U-Net with a MobileNetV2: what a user's file teaches it is what the feature network of that file computes.
/// </summary>
public class MobileUNetTests
{
    [Fact]
    public void Encoder_WithNormalisationFolded_GivesTheMapsOfTheFeatureNetwork()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var file = File(normalised: false);
        var (maps, features) = Both(file, i => i);
        foreach (var (key, value) in features) Close(value, maps[key], 1e-4, 1e-4, $"map {key}");
    }

    [Fact]
    public void Encoder_WithTorchvisionsKeys_GivesTheMapsOfTheFeatureNetworkAwayFromTheEdge()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        float[] mean = [.485f, .456f, .406f], deviation = [.229f, .224f, .225f];
        var (maps, features) = Both(File(normalised: true),
            i => ((i + 1) / 2 - tensor(mean).reshape(3, 1, 1)) / tensor(deviation).reshape(3, 1, 1));
        // Zeros around the image mean another colour there: two pixels of the first map see them, three of the second.
        for (var i = 0; i < 2; i++) Close(Inner(features[i], i + 2), Inner(maps[i], i + 2), 1e-4, 1e-4);
        static Tensor Inner(Tensor map, int edge) =>
            map.narrow(2, edge, map.shape[2] - 2 * edge).narrow(3, edge, map.shape[3] - 2 * edge);
    }

    [Fact]
    public void Load_FileOfAnotherNetwork_SaysWhatIsMissing()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        var path = folder["other.safetensors"];
        SafeTensors.Write(path, new Dictionary<string, Tensor> { ["conv1.weight"] = zeros(1) });
        using var network = new MobileUNet(1);
        var error = Assert.Throws<WeightsMismatchException>(() => BackboneWeights.Load(network, path));
        Assert.Contains("missing features.0.0", error.Message);
        Assert.Contains("torchvision", error.Message);
    }

    [Fact]
    public void Load_SuppliedWeights_TakesAllButTheLastConvolutionAndTheClassifier()
    {
        using var scope = NewDisposeScope();
        using var network = new MobileUNet(1);
        var path = SharedMaterial.Path("weights", "mobilenet_v2_imagenet_dequant_f32.safetensors");
        Assert.EndsWith(": 102 tensors.", BackboneWeights.Load(network, path)); // 51 convolutions with their biases
        using var noGrad = no_grad();
        var images = HashTensors.Weight("image", 1, 1, 1, 3, 64, 64);
        Assert.Equal([1L, 1, 64, 64], network.forward(images).shape);
    }

    [Theory]
    [InlineData(64, 64)]
    [InlineData(33, 47)]
    public void Forward_AnySize_GivesOneLogitForEachPixel(int height, int width)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var network = new MobileUNet(3);
        network.eval();
        Assert.Equal([2L, 3, height, width], network.forward(randn(2, 3, height, width)).shape);
    }

    // Maps of the last blocks at a half and a quarter of the image, from the encoder and from the network that metrics use.
    private static (IReadOnlyList<Tensor> Own, IReadOnlyDictionary<int, Tensor> Features) Both(
        Dictionary<string, Tensor> weights, Func<Tensor, Tensor> prepare)
    {
        using var folder = new TemporaryFolder();
        var path = folder["mobilenet.safetensors"];
        SafeTensors.Write(path, weights);
        using var file = WeightsFile.Open(path);
        using var encoder = new MobileEncoder();
        encoder.Load(file, "", path);
        var images = rand(2, 3, 64, 64, generator: new Generator(1, CPU)) * 2 - 1;
        var own = encoder.Maps(images);
        using var metric = new MobileNetwork(new(weights.ToDictionary(p => p.Key, p => p.Value.alias()), path));
        var maps = metric.Maps(prepare(images), [1, 3]);
        return (own, new Dictionary<int, Tensor> { [0] = maps[0], [1] = maps[1] });
    }

    private static Dictionary<string, Tensor> File(bool normalised)
    {
        using var encoder = new MobileEncoder();
        var tensors = new Dictionary<string, Tensor>();
        foreach (var (name, module) in encoder.named_modules())
        {
            if (module is not TorchSharp.Modules.Conv2d convolution) continue;
            var shape = convolution.weight!.shape;
            if (shape[2] == 5) shape[2] = shape[3] = 3;
            tensors[$"{name}.weight"] = HashTensors.Weight($"{name}.weight", 7, 1.4, shape);
            if (!normalised) tensors[$"{name}.bias"] = HashTensors.Weight($"{name}.bias", 7, 1, shape[0]);
            else foreach (var part in new[] { "weight", "bias", "running_mean", "running_var" })
            {
                var norm = $"{name[..^1]}{name[^1] - '0' + 1}.{part}";
                tensors[norm] = HashTensors.Weight(norm, 7, 1, shape[0]);
            }
        }
        return tensors;
    }
}
