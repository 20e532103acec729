using Siamorph.Imaging;
using static TorchSharp.torch;

namespace Siamorph.Evaluation.ImageSets;

/// <summary>A network that turns images into vectors, whose distributions are compared.</summary>
internal abstract class FeatureNetwork : IDisposable
{
    /// <summary>Wraps weights, which are disposed with it.</summary>
    protected FeatureNetwork(NetworkWeights weights) => Weights = weights;

    /// <summary>What it is called in results, such as "FID-Inception".</summary>
    public abstract string Name { get; }

    /// <summary>How images are resized and scaled, in words: numbers of different variants must never be compared.</summary>
    public abstract string Preparation { get; }

    /// <summary>The weights.</summary>
    public NetworkWeights Weights { get; }

    /// <summary>Name, file, hash and preparation, as results record them.</summary>
    public string Describe() =>
        $"{Name} ({Weights.Source}, sha256 {(Weights.Hash.Length > 12 ? Weights.Hash[..12] : "none")}; {Preparation})";

    /// <summary>Where it runs.</summary>
    public Placement Place { get; private set; } = new(CPU, ScalarType.Float32);

    /// <summary>Moves the network.</summary>
    public void MoveTo(Placement place)
    {
        ArgumentNullException.ThrowIfNull(place);
        Weights.MoveTo(place);
        Place = place;
    }

    /// <summary>An image as the network takes it.</summary>
    /// <returns>float32 [3,H,W], of one size for all images.</returns>
    public abstract Tensor Prepare(RgbImage image);

    /// <summary>The vectors of prepared images.</summary>
    /// <param name="batch">float32 [B,3,H,W], where the network is.</param>
    /// <returns>float32 [B,D], there as well.</returns>
    public abstract Tensor Features(Tensor batch);

    /// <summary>Recognises the network of a weight file by its keys.</summary>
    /// <exception cref="WeightsFormatException">The file is missing, damaged, or of no feature network that is known.</exception>
    public static FeatureNetwork Load(string path)
    {
        var weights = NetworkWeights.Load(path);
        if (weights.Has("Conv2d_1a_3x3.conv.weight") || weights.Has("blocks.0.0.conv.weight"))
            return new InceptionNetwork(weights);
        if (weights.Has("features.18.0.weight")) return new MobileNetwork(weights);
        if (weights.Has("vision_model.embeddings.class_embedding") || weights.Has("visual.class_embedding"))
            return new ClipImageTower(weights);
        weights.Dispose();
        throw new WeightsFormatException(
            $"{path}: no feature network has these keys. Known are FID-Inception, MobileNetV2 and the CLIP ViT image tower.");
    }

    /// <summary>Frees the weights.</summary>
    public void Dispose()
    {
        Weights.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The image as float32 [1,3,H,W] with levels 0…255.</summary>
    internal static Tensor Levels(RgbImage image) =>
        tensor(image.Pixels, [1, image.Size.Height, image.Size.Width, 3], ScalarType.Byte).permute(0, 3, 1,
        2).to_type(ScalarType.Float32).contiguous();
}
