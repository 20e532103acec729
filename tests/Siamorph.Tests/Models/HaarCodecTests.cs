using Siamorph.Models.Codecs;
using static TorchSharp.torch;

namespace Siamorph.Tests.Models;

public class HaarCodecTests
{
    [Fact]
    public void EncodeThenDecode_ReturnsTheImage()
    {
        using var scope = NewDisposeScope();
        var (codec, images) = Fitted();
        var x = images.to(float32) / 127.5f - 1;
        var latent = codec.Encode(x);
        Assert.Equal([6, 48, 4, 6], latent.shape);
        Assert.True((codec.Decode(latent) - x).abs().max().item<float>() < 1e-5f);
    }

    [Fact]
    public void Fit_CentresChannels_AndScalesTheLargestToOne()
    {
        using var scope = NewDisposeScope();
        var (codec, images) = Fitted();
        var latent = codec.Encode(images.to(float32) / 127.5f - 1);
        Assert.True(latent.mean([0, 2, 3]).abs().max().item<float>() < 1e-4f);
        Assert.Equal(1, latent.permute(1, 0, 2, 3).reshape(48, -1).std(1, unbiased: false).max().item<float>(), 1e-3f);
    }

    [Fact]
    public void Transform_KeepsLengths()
    {
        using var scope = NewDisposeScope();
        using var generator = new Seed(2).Generator();
        var codec = new HaarCodec();
        var x = randn([2, 3, 8, 8], generator: generator);
        Assert.Equal(x.norm().item<float>(), codec.Encode(x).norm().item<float>(), 1e-4f);
    }

    [Fact]
    public void ClampPixels_LeavesImagesInRange()
    {
        using var scope = NewDisposeScope();
        using var generator = new Seed(2).Generator();
        var codec = new HaarCodec();
        var latent = randn([1, 48, 4, 4], generator: generator) * 3;
        Assert.True(codec.Decode(codec.ClampPixels(latent)).abs().max().item<float>() <= 1.00001f);
    }

    private static (HaarCodec Codec, Tensor Images) Fitted()
    {
        using var generator = new Seed(1).Generator();
        var images = (rand([6, 3, 16, 24], generator: generator) * 120 + 60).to(uint8);
        var codec = new HaarCodec();
        codec.Fit(images);
        return (codec, images);
    }
}
