using Siamorph.Diffusion;
using Siamorph.Models;
using Siamorph.Siamese;
using Siamorph.Tests.Reference;
using static TorchSharp.torch;

namespace Siamorph.Tests.Conformance;

/// <summary>
/// Networks, losses and gradients of a small Siamese-Diffusion against numbers of our own, which need nothing beside the
/// repository: Reference/ computes them in double precision, Fixtures/ keeps them.
/// </summary>
public class DenoiserFixtureTests
{
    // shares of the largest number, seven times what single precision strays
    private const double Forward = 5e-6, Gradients = 1e-4;
    private const long Step = 60, MaxSteps = 100;
    private static readonly string[] Terms = ["mask", "image", "consistency", "augmentation"];
    private static readonly int[] Augmented = [0, 1]; // timesteps up to 200

    private static readonly DenoiserConfig Config = new()
    {
        LatentChannels = 3, ModelChannels = 32, ChannelMultipliers = [1, 2], ResidualBlocks = 1, AttentionFactors = [2],
        Heads = 4,
        ContextWidth = 8, HintFactor = 4, HintWidth = 4,
    };

    private static readonly SiameseInputs Inputs = new(
        Numbers("clean", 3, 3, 6, 4), Numbers("noise", 3, 3, 6, 4), [50, 200, 700], Numbers("context", 3, 5, 8),
        Numbers("mask", 3, 3, 24, 16).Map(x => x > 0 ? 1 : 0, _ => 0),
        Numbers("image", 3, 3, 24, 16).Map(x => (x + 2) / 4, _ => 0));

    [Fact]
    public void Networks_EqualTheirFixture()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var golden = OwnFixtures.Read("denoiser");
        using var model = Model();
        var (x, t, context) = (OwnFixtures.Put(Inputs.CleanLatent), tensor(Inputs.Timesteps), OwnFixtures.Put(Inputs.Context));
        var features = model.ControlNet.HintFeatures(OwnFixtures.Put(Inputs.ImageHint));
        var residuals = model.ControlNet.Residuals(x, features, t, context);
        var encoded = model.UNet.Encode(x, t, context);
        var found = Named(features, [.. residuals], [.. encoded.Skips], encoded.Middle,
            model.UNet.Decode(encoded, context), model.UNet.Decode(encoded, context, residuals));
        Assert.Equal(golden.Keys.Order(), found.Keys.Order());
        foreach (var (key, tensor) in found) OwnFixtures.AssertClose(golden[key], tensor, 0, Forward, key);
    }

    [Theory]
    [InlineData(PredictionType.Epsilon, false)]
    [InlineData(PredictionType.Sample, true)]
    [InlineData(PredictionType.V, false)]
    public void LossesAndGradients_EqualTheirFixture(PredictionType type, bool truncated)
    {
        using var scope = NewDisposeScope();
        var golden = OwnFixtures.Read($"losses-{type}".ToLowerInvariant());
        var none = new SiameseLossOptions
        {
            Mask = 0, Image = 0, Consistency = 0, Augmentation = 0,
            Weighting = truncated ? LossWeighting.TruncatedSnr : LossWeighting.Uniform,
        };
        var all = none with { Mask = 1, Image = 1, Consistency = 1, Augmentation = 1 };
        Compare(golden, type, all, "total");
        if (type != PredictionType.Epsilon) return;
        Compare(golden, type, none with { Mask = 1 }, "mask");
        Compare(golden, type, none with { Image = 1 }, "image");
        Compare(golden, type, none with { Consistency = 1 }, "consistency");
        Compare(golden, type, none with { Augmentation = 1 }, "augmentation");
    }

    [Fact]
    public void Fixtures_AreWhatTheirCodeMakes()
    {
        var weights = new NamedWeights();
        var denoiser = new DenoiserReference(Config, weights);
        OwnFixtures.AssertMade("denoiser", Networks(denoiser));
        using var model = Model();
        OwnFixtures.AssertShapes(weights, model);
        foreach (var (type, truncated) in new[]
            { (PredictionType.Epsilon, false), (PredictionType.Sample, true), (PredictionType.V, false) })
            OwnFixtures.AssertMade($"losses-{type}".ToLowerInvariant(), Losses(denoiser, weights, type, truncated));
    }

    private static Dictionary<string, Grid> Networks(DenoiserReference denoiser)
    {
        var (x, t, context) = (Inputs.CleanLatent, Inputs.Timesteps, Inputs.Context);
        var features = denoiser.HintFeatures(Inputs.ImageHint);
        var residuals = denoiser.Residuals(x, features, t, context);
        var encoded = denoiser.Encode(x, t, context);
        return Named(features, residuals, encoded.Skips, encoded.Middle,
            denoiser.Decode(encoded, context, null), denoiser.Decode(encoded, context, residuals));
    }

    private static Dictionary<string, T> Named<T>(
        T features, IReadOnlyList<T> residuals, IReadOnlyList<T> skips, T middle, T plain, T controlled)
    {
        var named = new Dictionary<string, T>
        {
            ["hint features"] = features, ["middle"] = middle, ["uncontrolled"] = plain, ["controlled"] = controlled,
        };
        for (var i = 0; i < residuals.Count; i++) named[$"residual {i}"] = residuals[i];
        for (var i = 0; i < skips.Count; i++) named[$"skip {i}"] = skips[i];
        return named;
    }

    private static Dictionary<string, Grid> Losses(
        DenoiserReference denoiser, NamedWeights weights, PredictionType type, bool truncated)
    {
        var result = new SiameseReference(denoiser, type, truncated).Run(Inputs, Step / (double)MaxSteps, Augmented);
        var made = new Dictionary<string, Grid>
        {
            ["mask prediction"] = result.MaskPrediction, ["image prediction"] = result.ImagePrediction,
            ["augmented prediction"] = result.AugmentedPrediction!,
        };
        var total = Terms.Select(t => result.Losses[t].Mean()).Aggregate((a, b) => a.Plus(b));
        foreach (var term in Terms) made[$"{term} losses"] = result.Losses[term];
        made["total gradients"] = OwnFixtures.Gradients(weights, total);
        if (type == PredictionType.Epsilon)
            foreach (var term in Terms) made[$"{term} gradients"] = OwnFixtures.Gradients(weights, result.Losses[term].Mean());
        return made;
    }

    private static void Compare(Dictionary<string, Tensor> golden, PredictionType type, SiameseLossOptions options, string term)
    {
        using var scope = NewDisposeScope();
        using var model = Model();
        var process = new ForwardProcess(new NoiseSchedule(new ScheduleOptions()), type);
        var batch = new SiameseBatch(
            OwnFixtures.Put(Inputs.CleanLatent), OwnFixtures.Put(Inputs.Noise), tensor(Inputs.Timesteps),
            OwnFixtures.Put(Inputs.Context),
            OwnFixtures.Put(Inputs.MaskHint), OwnFixtures.Put(Inputs.ImageHint));
        model.FreezeEncoder();
        var result = new SiameseStep(model, process, options).Run(batch, Step, MaxSteps);
        if (term == "total") ComparePredictions(golden, result);
        result.Backward();
        OwnFixtures.AssertGradients(golden[$"{term} gradients"], model, Gradients, term);
    }

    private static void ComparePredictions(Dictionary<string, Tensor> golden, SiameseStepResult result)
    {
        OwnFixtures.AssertClose(golden["mask prediction"], result.MaskPrediction, 0, Forward, "mask prediction");
        OwnFixtures.AssertClose(golden["image prediction"], result.ImagePrediction!, 0, Forward, "image prediction");
        OwnFixtures.AssertClose(golden["augmented prediction"], result.AugmentedPrediction!, 0, 2 * Forward,
            "augmented prediction");
        foreach (var term in Terms)
            OwnFixtures.AssertClose(golden[$"{term} losses"], result.PerSample[term], 0, Forward, $"{term} losses");
    }

    private static SiameseModel Model()
    {
        var model = new SiameseModel(Config);
        OwnFixtures.Fill(model);
        return model;
    }

    private static Grid Numbers(string name, params int[] shape) =>
        new(shape, NamedWeights.Uniform(name, shape.Aggregate(1, (a, b) => a * b), 2));
}
