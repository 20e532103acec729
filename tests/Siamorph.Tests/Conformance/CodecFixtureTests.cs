using Siamorph.Models.Codecs;
using Siamorph.Models.Text;
using Siamorph.Tests.Reference;
using static TorchSharp.torch;

namespace Siamorph.Tests.Conformance;

/// <summary>A small autoencoder and a small text model against stored numbers of our own (Fixtures/README.md).</summary>
public class CodecFixtureTests
{
    private const double Tolerance = 1e-5; // share of the largest number; single precision strays by a tenth of that
    private static readonly AutoencoderKlConfig Codec = new() { Channels = 32, ChannelMultipliers = [1, 2], ResidualBlocks = 1 };
    private static readonly ClipTextConfig Text =
        new() { VocabularySize = 40, Length = 9, Width = 16, Layers = 2, Heads = 4, FeedForwardWidth = 24 };
    private static readonly long[][] Tokens = [[38, 3, 17, 4, 39, 39, 39], [38, 1, 0, 39, 39, 39, 39]];
    private static readonly Grid Images = new([2, 3, 10, 6], NamedWeights.Uniform("images", 360, 1));
    private static readonly Grid Latents = new([2, 4, 5, 3], NamedWeights.Uniform("latents", 120, 2));

    [Fact]
    public void Autoencoder_EqualsItsFixture()
    {
        using var scope = NewDisposeScope();
        var golden = OwnFixtures.Read("codecs");
        using var codec = new AutoencoderKl(Codec);
        OwnFixtures.Fill(codec);
        OwnFixtures.AssertClose(golden["moments"], codec.Moments(OwnFixtures.Put(Images)), 0, Tolerance, "moments");
        OwnFixtures.AssertClose(golden["images"], codec.DecodeUnscaled(OwnFixtures.Put(Latents)), 0, Tolerance, "images");
        OwnFixtures.AssertClose(golden["images"], codec.Decode(OwnFixtures.Put(Latents) * Codec.ScaleFactor), 0, Tolerance,
            "images of scaled latents");
    }

    [Fact]
    public void TextModel_EqualsItsFixture()
    {
        using var scope = NewDisposeScope();
        using var model = new ClipTextModel(Text);
        OwnFixtures.Fill(model);
        var tokens = tensor([.. Tokens.SelectMany(t => t)], [Tokens.Length, Tokens[0].Length]);
        OwnFixtures.AssertClose(OwnFixtures.Read("codecs")["text"], model.Forward(tokens), 0, Tolerance, "text");
    }

    [Fact]
    public void Fixtures_AreWhatTheirCodeMakes()
    {
        var weights = new NamedWeights();
        var codec = new AutoencoderReference(Codec, weights);
        OwnFixtures.AssertMade("codecs", new Dictionary<string, Grid>
        {
            ["moments"] = codec.Moments(Images), ["images"] = codec.Decode(Latents),
            ["text"] = new TextReference(Text, weights).Forward(Tokens),
        });
        using var own = new AutoencoderKl(Codec);
        using var text = new ClipTextModel(Text);
        OwnFixtures.AssertShapes(weights, own, text);
    }
}
