using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Siamorph.Segmentation.Networks;
using Siamorph.Segmentation.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Tests.Segmentation;

public class OnnxExportTests
{
    public static IEnumerable<TheoryDataRow<string, int>> Networks =>
    [
        ("unet", 1), ("unet", 4), ("unet-mobilenetv2", 1), ("sanet-compact", 1), ("pranet-compact", 3),
        ("polyp-pvt-compact", 1), ("ctnet-compact", 1), ("segformer-compact", 2),
    ];

    [Theory]
    [MemberData(nameof(Networks))]
    public void Model_InOnnxRuntime_GivesTheNetworksAnswer(string name, int classes)
    {
        const int height = 72, width = 88;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var net = NetworkFactory.Create(new() { Name = name, Width = 4, Bilinear = classes == 1, Classes = classes });
        InitialWeights.Draw(net, new(5));
        HashTensors.FillNorms(net, 7);
        net.eval();
        using var generator = new Seed(9).Generator();
        var images = rand(2, 3, height, width, generator: generator) * 2 - 1;
        using var session = new InferenceSession(OnnxExport.Model(net, height, width));
        var input = new DenseTensor<float>(images.data<float>().ToArray(), [2, 3, height, width]);
        using var results = session.Run([NamedOnnxValue.CreateFromTensor(OnnxExport.InputName, input)]);
        var logits = net.Logits(images);
        var scale = logits.abs().max().item<float>();
        Check(results, OnnxExport.LogitsName, logits, 1e-4 * Math.Max(1, scale));
        Check(results, OnnxExport.ProbabilitiesName, classes == 1 ? logits.sigmoid() : nn.functional.softmax(logits, 1), 1e-4);
    }

    private static void Check(IEnumerable<DisposableNamedOnnxValue> results, string name, torch.Tensor expected, double tolerance)
    {
        var result = results.Single(r => r.Name == name).AsTensor<float>();
        Assert.Equal(expected.shape, result.Dimensions.ToArray().Select(d => (long)d));
        SegmentationFixtures.Close(expected, tensor(result.ToArray(), expected.shape), tolerance, what: name);
    }
}
