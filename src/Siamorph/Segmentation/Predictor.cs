using System.Globalization;
using System.Runtime.InteropServices;
using Siamorph.Data;
using Siamorph.Evaluation.Masks;
using Siamorph.Imaging;
using Siamorph.Segmentation.Networks;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Segmentation;

/// <summary>A trained segmentation network, ready to find lesions.</summary>
public sealed class Predictor : IDisposable
{
    /// <summary>The weights' file in a run folder.</summary>
    public const string FileName = "model.safetensors";

    private readonly SegmentationNetwork _network;

    private Predictor(SegmentationNetwork network, NetworkConfig config, ImageSize size) =>
        (_network, Network, ImageSize) = (network, config, size);

    /// <summary>Pixels of the images the network was trained on.</summary>
    public ImageSize ImageSize { get; }

    /// <summary>The network's numbers.</summary>
    public NetworkConfig Network { get; }

    internal SegmentationNetwork Module => _network;

    private Placement Place { get; init; } = new(CPU, ScalarType.Float32);

    /// <summary>The classes of the masks it learned from; null for lesion against background.</summary>
    public ClassTable? Classes { get; private init; }

    /// <summary>
    /// How images of more than 8 bits were brought to 0…255 in training, and are here; null where it saw 8 bits alone.
    /// </summary>
    public IntensityRange? Range { get; private init; }

    /// <summary>Loads the best weights of a finished run.</summary>
    /// <param name="path">The run folder, or a weight file written by a run.</param>
    /// <param name="place">Where it runs; null for the processor.</param>
    /// <exception cref="SiamorphException">There are no weights, or they are damaged or of another kind.</exception>
    public static Predictor Load(string path, Placement? place = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        var file = Directory.Exists(path) ? Path.Combine(path, FileName) : path;
        if (!File.Exists(file))
            throw new SiamorphException(
                $"{path}: no finished segmentation run, {FileName} is missing. Train one with \"siamorph segment train\".");
        var (config, size, classes, range) = ModelFile.Describe(file);
        var network = NetworkFactory.Create(config);
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
        place ??= Placement.On(ComputeDevice.Cpu);
        place.Move(network);
        network.eval();
        return new(network, config, size) { Place = place, Classes = classes, Range = range };
    }

    /// <summary>A pair whose wide levels are read as those that the network learned from.</summary>
    internal ImageMaskPair AsTrained(ImageMaskPair pair) => Range is null ? pair : pair with { Range = Range };

    /// <summary>Probabilities of images as they are, without resizing.</summary>
    /// <param name="images">float32 [B,3,H,W] in [-1,1]; best of <see cref="ImageSize"/>.</param>
    /// <returns>float32 in [0,1] on the CPU: [B,1,H,W], or [B,Classes,H,W] that sum to 1 where there are several
    /// classes.</returns>
    public Tensor Predict(Tensor images)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        return OnCpu(Probabilities(_network.Logits(Place.Put(images)))).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The probability map of an image of any size: it is resized for the network, the answer back. Of several classes it is
    /// that of everything but the background.
    /// </summary>
    public ProbabilityMap Predict(RgbImage image)
    {
        using var scope = NewDisposeScope();
        var probabilities = PredictClasses(image);
        if (Network.Classes > 1) probabilities = Foreground(probabilities);
        return ProbabilityMap.FromProbabilities(image.Size, MemoryMarshal.Cast<byte, float>(probabilities.contiguous().bytes));
    }

    /// <summary>Probabilities of an image of any size, at its size.</summary>
    /// <returns>float32, [1,1,H,W], or [1,Classes,H,W] where there are several classes.</returns>
    public Tensor PredictClasses(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var input = ImageTensor.FromRgb(image.Size == ImageSize ? image : Resize.Image(image, ImageSize)).unsqueeze(0);
        var (height, width) = (image.Size.Height, image.Size.Width);
        // A U-Net's probabilities are scaled; the others' logits, as their authors do.
        var probabilities = _network is UNet
            ? Operators.ScaleTo(Predict(input), height, width, corners: false)
            : OnCpu(Probabilities(Operators.ScaleTo(_network.Logits(Place.Put(input)), height, width, _network.AlignCorners)));
        return probabilities.MoveToOuterDisposeScope();
    }

    /// <summary>The class of each pixel of an image of any size, 0 the background.</summary>
    public LabelMap PredictLabels(RgbImage image)
    {
        using var scope = NewDisposeScope();
        return Labels(PredictClasses(image));
    }

    /// <summary>The likeliest class of each pixel of <see cref="PredictClasses"/>.</summary>
    internal LabelMap Labels(Tensor probabilities)
    {
        using var scope = NewDisposeScope();
        var labels = Network.Classes > 1 ? probabilities.argmax(1) : probabilities >= 0.5f;
        return new(new((int)probabilities.shape[3], (int)probabilities.shape[2]),
            labels.to_type(ScalarType.Byte).contiguous().bytes.ToArray());
    }

    // Images and files are made of what comes out.
    private static Tensor OnCpu(Tensor probabilities) => probabilities.to(ScalarType.Float32, CPU);

    // SANet's authors correct the logits before they take probabilities.
    private Tensor Probabilities(Tensor logits) => Network.Classes > 1
        ? nn.functional.softmax(logits, 1)
        : (_network is SANet ? ProbabilityCorrection.Apply(logits) : logits).sigmoid();

    /// <summary>[B,Classes,H,W] → [B,1,H,W]: the probability of anything but the background.</summary>
    internal static Tensor Foreground(Tensor probabilities) =>
        probabilities.shape[1] == 1 ? probabilities : 1 - probabilities.narrow(1, 0, 1);

    /// <summary>Frees the weights.</summary>
    public void Dispose() => _network.Dispose();

    internal static Tensor ToUnit(Tensor levels) => levels.to_type(ScalarType.Float32).div_(127.5).sub_(1);
}

/// <summary>The weight file of a run: the tensors, and in its metadata what is needed to build the network.</summary>
internal static class ModelFile
{
    private const string Kind = "siamorph segmentation", UNetKind = "siamorph segmentation unet";

    public static void Write(string path, IReadOnlyDictionary<string, Tensor> weights, SegmentationOptions options,
        (ClassTable? Classes, IntensityRange? Range) data)
    {
        var metadata = new Dictionary<string, string>
        {
            ["kind"] = options.Network is { Name: NetworkFactory.UNet, Classes: 1 } ? UNetKind : Kind,
            ["network"] = options.Network.Name,
            ["classes"] = options.Network.Classes.ToString(CultureInfo.InvariantCulture),
            ["width"] = options.Network.Width.ToString(CultureInfo.InvariantCulture),
            ["bilinear"] = options.Network.Bilinear ? "true" : "false",
            ["imageWidth"] = options.ImageSize.Width.ToString(CultureInfo.InvariantCulture),
            ["imageHeight"] = options.ImageSize.Height.ToString(CultureInfo.InvariantCulture),
        };
        if (data.Classes is { } classes) metadata["classTable"] = classes.ToJson();
        if (data.Range is { } range) metadata["pictureRange"] = range.ToString();
        SafeTensors.Write(path, weights, metadata);
    }

    public static (NetworkConfig Config, ImageSize Size, ClassTable? Classes, IntensityRange? Range) Describe(string path)
    {
        var metadata = SafeTensors.ReadHeader(path).Metadata;
        int Number(string key) =>
            metadata.TryGetValue(key, out var text)
            && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
                ? number
                : throw new WeightsFormatException(
                    $"{path}: its metadata lacks \"{key}\". Use a file written by \"siamorph segment train\".");
        if (metadata.GetValueOrDefault("kind") is not (Kind or UNetKind))
            throw new WeightsFormatException(
                $"{path}: these are not the weights of a segmentation network. Use a file written by \"siamorph "
                    + $"segment train\".");
        return (
            new NetworkConfig
            {
                Name = metadata.GetValueOrDefault("network", NetworkFactory.UNet),
                Width = Number("width"),
                Bilinear = metadata.GetValueOrDefault("bilinear") == "true",
                Classes = metadata.ContainsKey("classes") ? Number("classes") : 1,
            },
            new ImageSize(Number("imageWidth"), Number("imageHeight")),
            metadata.TryGetValue("classTable", out var table) ? ClassTable.FromJson(table, path) : null,
            metadata.TryGetValue("pictureRange", out var range) ? IntensityRange.Parse(range) : null);
    }
}
