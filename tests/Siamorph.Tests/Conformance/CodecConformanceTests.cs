using System.Text.Json;
using System.Text.Json.Nodes;
using Siamorph.Models.Codecs;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests.Conformance;

public class CodecConformanceTests
{
    private const double MomentsTolerance = 5e-5;
    private const double ImageTolerance = 1e-4;

    [Fact]
    public void AutoencoderKl_EqualsReference()
    {
        using var scope = NewDisposeScope();
        var golden = DiffusionFixtures.Tensors("vae.safetensors");
        using var codec = Codec();
        var moments = codec.Moments(golden["x"]);
        DiffusionFixtures.AssertClose(golden["moments"], moments, MomentsTolerance, "moments");
        DiffusionFixtures.AssertClose(golden["mean"] * codec.Config.ScaleFactor, codec.Latent(moments), MomentsTolerance,
            "mean latent");
        DiffusionFixtures.AssertClose(golden["z_scaled"], codec.Latent(moments, golden["posterior_noise"]), MomentsTolerance,
            "drawn latent");
        DiffusionFixtures.AssertClose(golden["decoded_of_z_in"], codec.DecodeUnscaled(golden["z_in"]), ImageTolerance, "decoded");
        DiffusionFixtures.AssertClose(
            golden["decoded_first_stage"], codec.Decode(golden["z_in"] * codec.Config.ScaleFactor), ImageTolerance,
            "decoded from a scaled latent");
    }

    [Fact]
    public void Tiles_ThatCoverTheWholeImage_ChangeNothing_AndSmallerOnesLittle()
    {
        using var scope = NewDisposeScope();
        var golden = DiffusionFixtures.Tensors("vae.safetensors");
        using var whole = Codec();
        using var tiled = Codec(whole.Config with { TileSize = 4 * whole.Factor });
        var image = tiled.DecodeUnscaled(golden["z_in"]);
        Assert.Equal(golden["decoded_of_z_in"].shape, image.shape);
        // The middle attends to all pixels and norms count all pixels, so tiles are an approximation.
        Assert.True(DiffusionFixtures.RelativeL2(image, golden["decoded_of_z_in"]) < 1);
        Assert.Equal(golden["moments"].shape, tiled.Moments(golden["x"]).shape);
        using var large = Codec(whole.Config with { TileSize = 64 * whole.Factor });
        DiffusionFixtures.AssertClose(golden["decoded_of_z_in"], large.DecodeUnscaled(golden["z_in"]), ImageTolerance,
            "one tile");
    }

    private static AutoencoderKl Codec(AutoencoderKlConfig? sizes = null)
    {
        const string file = "weights_vae.safetensors";
        using var scope = NewDisposeScope();
        var c = JsonNode.Parse(SafeTensors.ReadHeader(DiffusionFixtures.File(file)).Metadata["config"])!;
        var codec = new AutoencoderKl(sizes ?? new AutoencoderKlConfig
        {
            Channels = (int)c["ch"]!,
            ChannelMultipliers = c["ch_mult"].Deserialize<int[]>()!,
            ResidualBlocks = (int)c["num_res_blocks"]!,
            LatentChannels = (int)c["z_channels"]!,
        });
        StateDict.Apply(codec, DiffusionFixtures.Tensors(file).Under("first_stage_model."), file);
        return codec;
    }
}
