using Siamorph.Data.Phantom;
using Siamorph.Evaluation.Masks;
using Siamorph.Evaluation.Radiomics;
using Siamorph.Imaging;
using Siamorph.Models.Codecs;
using Siamorph.Siamese;
using Siamorph.Siamese.WeightFiles;
using Siamorph.Synthesis;
using Siamorph.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Tests.Models.Codecs;

public sealed class TinyAutoencoderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Decode_OfEncodedPolyps_KeepsTheirBorders()
    {
        using var codec = new TinyAutoencoder();
        CodecFiles.Load(codec, SharedMaterial.Path("weights", "taef2"));
        var folder = SharedMaterial.Path("data", "kvasir_seg");
        var size = new ImageSize(128, 128);
        List<double> noise = [], rings = [], bands = [];
        foreach (var path in Directory.GetFiles(Path.Combine(folder, "images")).Order(StringComparer.Ordinal)
            .Where((_, i) => i % 80 == 0))
        {
            using var scope = NewDisposeScope();
            var image = Resize.Image(ImageFile.ReadRgb(path), size);
            var mask = Resize.Mask(ImageFile.ReadMask(
                Directory.GetFiles(Path.Combine(folder, "masks"), Path.GetFileNameWithoutExtension(path) + ".*")[0]), size);
            var pixels = tensor(image.Pixels, uint8).view(1, 128, 128, 3).permute(0, 3, 1, 2).to(float32) / 127.5f - 1;
            var back = codec.Decode(codec.Encode(pixels)).clamp(-1, 1);
            noise.Add(10 * Math.Log10(4 / (back - pixels).square().mean().item<float>()));
            var restored = new RgbImage(size,
                ((back[0] + 1) * 127.5f).round().to(uint8).permute(1, 2, 0).contiguous().data<byte>().ToArray());
            var before = BoundaryContrast.Of(RadiomicRegion.Luma(image), mask)!;
            var after = BoundaryContrast.Of(RadiomicRegion.Luma(restored), mask)!;
            rings.Add(after.RingGradient / before.RingGradient);
            bands.Add(after.BandContrast / before.BandContrast);
        }
        Assert.InRange(noise.Average(), 30, 40); // dB
        Assert.InRange(rings.Average(), 0.95, 1.1);
        Assert.InRange(bands.Order().ElementAt(bands.Count / 2), 0.95, 1.05);
    }

    [Fact]
    public void Encode_OfSeveralImages_IsWhatEachGivesAlone_AndLeavesNoTensorBehind()
    {
        using var codec = new TinyAutoencoder();
        using var scope = NewDisposeScope();
        var images = rand(2, 3, 32, 48) * 2 - 1;
        var both = codec.Encode(images);
        Assert.Equal([2, 32, 4, 6], both.shape);
        Assert.True(both[1].allclose(codec.Encode(images.narrow(0, 1, 1))[0], 1e-4, 1e-5));
        Assert.Equal([2, 3, 32, 48], codec.Decode(both).shape);
        Assert.False(codec.Decode(both).requires_grad);
        var live = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (NewDisposeScope()) codec.Decode(codec.Encode(images));
        Assert.Equal(live, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Train_WithCodecWeights_KeepsThem_SoThatTheRunDrawsWithoutTheFiles()
    {
        using (var codec = new TinyAutoencoder())
            foreach (var part in new[] { "encoder", "decoder" })
                SafeTensors.Write(_folder[$"{part}.safetensors"], StateDict.Of(codec).Under(part + "."));
        var options = Presets.TinyTaef2 with
        {
            ImageSize = 32, CodecWeights = _folder.Path, PreviewEvery = 0, PromptLength = 1,
            Network = Presets.TinyTaef2.Network with
            {
                ModelChannels = 32, ChannelMultipliers = [1, 2], AttentionFactors = [], Heads = 2, ContextWidth = 16,
            },
            Base = Presets.TinyTaef2.Base with { Steps = 1, BatchSize = 2 },
            Siamese = Presets.TinyTaef2.Siamese with { Steps = 3, BatchSize = 2 },
        };
        var data = PhantomDataset.Write(_folder["data"], new PhantomOptions
        {
            Count = 4, Size = new(32, 32),
        }, NullMonitor.Instance);
        using (var pairs = options.Load(data.Pairs, NullMonitor.Instance))
            SiameseTrainer.Run(options, pairs, _folder["run"], NullMonitor.Instance);
        File.Delete(_folder["encoder.safetensors"]);
        File.Delete(_folder["decoder.safetensors"]);
        var drawn = Synthesizer.Run(_folder["run"], data.Pairs, new()
        {
            ImagesPerMask = 1, Steps = 2,
        }, _folder["drawn"], NullMonitor.Instance);
        Assert.Equal(4, drawn.Pairs.Count);
    }

    [Fact]
    public void Options_WithoutTheFiles_SayWhichToGive()
    {
        var message = Assert.Throws<InvalidOptionsException>(Presets.TinyTaef2.Validate).Message;
        Assert.Contains("--codec-weights", message, StringComparison.Ordinal);
        using var codec = new TinyAutoencoder();
        Assert.Contains("no file with \"encoder\" in the name", Assert.Throws<WeightsFormatException>(
            () => CodecFiles.Load(codec, _folder["nowhere"])).Message, StringComparison.Ordinal);
    }
}
