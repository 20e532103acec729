using System.Globalization;
using Siamorph.Segmentation.Networks;
using static TorchSharp.torch;

namespace Siamorph.Segmentation.Onnx;

/// <summary>Writes a segmentation network as an ONNX file, for use where .NET and torch are not.</summary>
public static class OnnxExport
{
    /// <summary>The input: float32 [batch,3,H,W] in [-1,1], of the size the network was trained at.</summary>
    public const string InputName = "image";

    /// <summary>An output: logits [batch,Classes,H,W].</summary>
    public const string LogitsName = "logits";

    /// <summary>An output: probabilities of the same shape; SANet's probability correction is not in them.</summary>
    public const string ProbabilitiesName = "probabilities";

    /// <summary>Writes the file; the input's normalisation is part of the graph.</summary>
    /// <param name="predictor">The network.</param>
    /// <param name="path">Of the file; whole or absent.</param>
    /// <exception cref="SiamorphException">The file can't be written, or the network exceeds 2 GB.</exception>
    public static void Write(Predictor predictor, string path)
    {
        ArgumentNullException.ThrowIfNull(predictor);
        ArgumentNullException.ThrowIfNull(path);
        var bytes = Model(predictor.Module, predictor.ImageSize.Height, predictor.ImageSize.Width);
        AtomicFile.Write(path, s => s.Write(bytes));
    }

    internal static byte[] Model(SegmentationNetwork network, int height, int width)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        network.eval();
        var input = zeros(1, 3, height, width);
        var graph = new OnnxGraph(input, InputName, network.state_dict());
        Tensor logits, probabilities;
        using (Operators.RecordInto(graph))
        {
            logits = network.Logits(input);
            probabilities = logits.shape[1] == 1 ? Operators.Sigmoid(logits) : Operators.Softmax(logits, 1);
        }
        return graph.Model((InputName, input.shape), [(LogitsName, logits), (ProbabilitiesName, probabilities)],
            new Dictionary<string, string>
        {
            ["network"] = network.GetName(),
            ["input"] = "float32 [batch,3,height,width], red, green, blue, level / 127.5 - 1",
            ["classes"] = logits.shape[1].ToString(CultureInfo.InvariantCulture),
        });
    }
}
