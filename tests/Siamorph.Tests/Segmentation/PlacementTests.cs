using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Segmentation;
using Siamorph.Tests.Imaging;
using Siamorph.Training;
using static TorchSharp.torch;

namespace Siamorph.Tests.Segmentation;

/// <summary>
/// Without a graphics card, double precision stands in for another device: a convolution of an image that was not moved fails,
/// as it would between devices, and what was moved is counted.
/// </summary>
public sealed class PlacementTests : IDisposable
{
    private static readonly SegmentationOptions Small = new()
    {
        ImageSize = new(32, 32), Steps = 3, BatchSize = 2, ValidateEvery = 3, CheckpointEvery = 2, Network = new() { Width = 8 },
    };
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private sealed record Elsewhere() : Placement(CPU, ScalarType.Float64)
    {
        public List<long[]> Put_ { get; } = [];

        public override Tensor Put(Tensor tensor)
        {
            Put_.Add(tensor.shape);
            return base.Put(tensor);
        }
    }

    [Theory]
    [InlineData("unet")]
    [InlineData("unet-mobilenetv2")]
    [InlineData("sanet-compact")]
    [InlineData("polyp-pvt-compact")]
    [InlineData("segformer-compact")]
    [InlineData("pranet-compact")]
    [InlineData("ctnet-compact")]
    public void Training_MovesNetworkImagesAndMasks(string network)
    {
        using var data = Load(6);
        var place = new Elsewhere();
        var options = Small with { Network = Small.Network with { Name = network } };
        using var session = new SegmentationSession(options, data, data, place);
        session.Advance();
        Assert.Equal([[2, 3, 32, 32], [2, 1, 32, 32]], place.Put_);
        session.Validate();
        Assert.Contains([6, 3, 32, 32], place.Put_);
        Assert.Contains([6, 1, 32, 32], place.Put_);
        Assert.All(session.CheckpointSelection.Values.Where(t => t.is_floating_point()),
            t => Assert.Equal(ScalarType.Float64, t.dtype));
    }

    [Fact]
    public void Resume_LoadsWhatWasSavedOnAnotherDevice()
    {
        using var data = Load(6);
        var run = new RunFolder(_folder["run"]);
        using (var here = new SegmentationSession(Small, data, data))
        {
            here.Advance();
            here.Validate();
            here.Save(run);
        }
        using var there = new SegmentationSession(Small, data, data, new Elsewhere());
        there.Restore(run);
        there.Advance();
        Assert.Equal(2, there.Step);
    }

    [Fact]
    public void Prediction_MovesImages_AndComesBack()
    {
        using var data = Load(6);
        SegmentationTrainer.Run(Small, data, data, _folder["run"], NullMonitor.Instance);
        var place = new Elsewhere();
        using var there = Predictor.Load(_folder["run"], place);
        using var here = Predictor.Load(_folder["run"]);
        var image = Pictures.Image(3, 50, 40);
        Assert.All(here.Predict(image).Levels.Zip(there.Predict(image).Levels), p => Assert.InRange(p.First - p.Second, -1, 1));
        Assert.NotEmpty(place.Put_);
    }

    [Fact]
    public void DeviceThatIsNotThere_IsOneLine()
    {
        if (cuda_is_available()) Assert.Skip("There is a card.");
        Assert.Contains("cuda", Assert.Throws<InvalidOptionsException>(() => Placement.On(ComputeDevice.Cuda)).Message,
            StringComparison.Ordinal);
        using var data = Load(4);
        Assert.Throws<InvalidOptionsException>(() => SegmentationTrainer.Run(Small with
        {
            Device = ComputeDevice.Cuda,
        }, data, data, _folder["x"], NullMonitor.Instance));
        Assert.False(File.Exists(_folder["x", "options.json"]));
    }

    [Fact]
    public void Experiment_SpreadsItsDevice()
    {
        var options = new Siamorph.Experiment.ExperimentOptions
        {
            Data = _folder.Path, Device = ComputeDevice.Cuda,
        }.WithFullPaths();
        Assert.All([options.Generator.Device, options.Synthesis.Device, options.Segmentation.Device],
            d => Assert.Equal(ComputeDevice.Cuda, d));
        Assert.Equal(ComputeDevice.Cuda, options.SegmentationOf("sanet").Device);
    }

    private PairedDataset Load(int pairs)
    {
        for (var n = 0; n < pairs; n++) Pictures.WritePair(_folder["data"], $"{n}", n);
        return PairedDataset.Load(DatasetFolder.Read(_folder["data"]).Pairs, Small.ImageSize, NullMonitor.Instance);
    }
}
