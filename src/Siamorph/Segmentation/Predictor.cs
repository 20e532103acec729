using System.Globalization;
using System.Runtime.InteropServices;
using Siamorph.Evaluation;
using Siamorph.Imaging;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Segmentation;

/// <summary>A trained segmentation network, ready to find lesions.</summary>
public sealed class Predictor : IDisposable
{
    /// <summary>The weights' file in a run folder.</summary>
    public const string FileName = "model.safetensors";

    private readonly UNet _network;

    private Predictor(UNet network, ImageSize size) => (_network, ImageSize) = (network, size);

    /// <summary>Pixels of the images the network was trained on.</summary>
    public ImageSize ImageSize { get; }

    /// <summary>The network's numbers.</summary>
    public UNetConfig Network => _network.Config;

    /// <summary>Loads the best weights of a finished run.</summary>
    /// <param name="path">The run folder, or a weight file written by a run.</param>
    /// <exception cref="SiamorphException">There are no weights, or they are damaged or of another kind.</exception>
    public static Predictor Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var file = Directory.Exists(path) ? Path.Combine(path, FileName) : path;
        if (!File.Exists(file))
            throw new SiamorphException($"{path}: no finished segmentation run, {FileName} is missing. Train one with \"siamorph segment train\".");
        var (config, size) = ModelFile.Describe(file);
        var network = new UNet(config);
        try
        {
            using var scope = NewDisposeScope();
            StateDict.Apply(network, SafeTensors.Read(file), file);
        }
        catch
        {
            network.Dispose();
            throw;
        }
        network.eval();
        return new(network, size);
    }

    /// <summary>Probabilities of images as they are, without resizing.</summary>
    /// <param name="images">float32 [B,3,H,W] in [-1,1]; best of <see cref="ImageSize"/>.</param>
    /// <returns>float32 [B,1,H,W] in [0,1].</returns>
    public Tensor Predict(Tensor images)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        return _network.forward(images).sigmoid_().MoveToOuterDisposeScope();
    }

    /// <summary>The probability map of a picture of any size: it is resized for the network, the probabilities back.</summary>
    public ProbabilityMap Predict(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        using var scope = NewDisposeScope();
        var input = ImageTensor.FromRgb(image.Size == ImageSize ? image : Resize.Image(image, ImageSize)).unsqueeze(0);
        var probabilities = Predict(input);
        if (image.Size != ImageSize)
            probabilities = nn.functional.interpolate(probabilities, [image.Size.Height, image.Size.Width], mode: InterpolationMode.Bilinear, align_corners: false);
        return ProbabilityMap.FromProbabilities(image.Size, MemoryMarshal.Cast<byte, float>(probabilities.contiguous().bytes));
    }

    /// <summary>Frees the weights.</summary>
    public void Dispose() => _network.Dispose();

    internal static Tensor ToUnit(Tensor levels) => levels.to_type(ScalarType.Float32).div_(127.5).sub_(1);
}

/// <summary>The weight file of a run: the tensors, and in its metadata what is needed to build the network.</summary>
internal static class ModelFile
{
    private const string Kind = "siamorph segmentation unet";

    public static void Write(string path, IReadOnlyDictionary<string, Tensor> weights, SegmentationOptions options) =>
        SafeTensors.Write(path, weights, new Dictionary<string, string>
        {
            ["kind"] = Kind,
            ["width"] = options.Network.Width.ToString(CultureInfo.InvariantCulture),
            ["bilinear"] = options.Network.Bilinear ? "true" : "false",
            ["imageWidth"] = options.ImageSize.Width.ToString(CultureInfo.InvariantCulture),
            ["imageHeight"] = options.ImageSize.Height.ToString(CultureInfo.InvariantCulture),
        });

    public static (UNetConfig Config, ImageSize Size) Describe(string path)
    {
        var metadata = SafeTensors.ReadHeader(path).Metadata;
        int Number(string key) =>
            metadata.TryGetValue(key, out var text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
                ? number
                : throw new WeightsFormatException($"{path}: its metadata lacks \"{key}\". Use a file written by \"siamorph segment train\".");
        if (metadata.GetValueOrDefault("kind") != Kind)
            throw new WeightsFormatException($"{path}: these are not the weights of a segmentation network. Use a file written by \"siamorph segment train\".");
        return (
            new UNetConfig { Width = Number("width"), Bilinear = metadata.GetValueOrDefault("bilinear") == "true" },
            new ImageSize(Number("imageWidth"), Number("imageHeight")));
    }
}
