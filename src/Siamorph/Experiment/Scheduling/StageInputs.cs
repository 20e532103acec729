using System.Text.Json.Nodes;
using Siamorph.Data;
using Siamorph.Experiment.Stages;
using Siamorph.Segmentation;
using Siamorph.Segmentation.Networks;
using Siamorph.Siamese;

namespace Siamorph.Experiment.Scheduling;

/// <summary>What decides the numbers of a stage, as JSON whose hash is the stage's key; what decides none is left out.</summary>
internal static class StageInputs
{
    public static JsonObject Of(StageKind kind, JsonObject options, JsonObject inputs) => new()
    {
        ["stage"] = kind.Name,
        ["version"] = ProductVersion.Version,
        ["revision"] = kind.Revision,
        ["options"] = Decisive(options),
        ["inputs"] = inputs,
    };

    // Options that came later say nothing at their defaults: experiments begun without them go on.
    public static JsonObject Decisive(JsonObject options)
    {
        foreach (var (name, neutral) in new (string, string)[] { ("labels", "\"hard\""), ("boundaryWidth", "0"),
            ("agreementWeight", "0"), ("unlabelled", "null"), ("start", "\"noise\""), ("strength", "null"), ("imageWeight", "0"),
            ("keep", "\"best\""), ("sampler", "null"), ("shapes", "0"),
            ("initialWeights", "null"), ("codecWeights", "null"), ("consistencyWeight", "10"),
            ("consistencyRampUp", "0.3"), ("cutMix", "0") })
            if (options.TryGetPropertyValue(name, out var value) && (value?.ToJsonString() ?? "null") == neutral)
            options.Remove(name);
        // Where moments lie decides no number; where networks run, none but the last digits: what one machine began another may
        // go on with.
        options.Remove("optimizerState");
        options.Remove("device");
        if (options["augmentation"] is JsonObject augmentation) Decisive(augmentation);
        if (options["sampling"] is JsonObject sampling && sampling["sampler"]?.ToJsonString() == "\"ddim\"")
            sampling.Remove("sampler");
        if (options["losses"] is JsonObject losses && losses["agreementWeight"]?.ToJsonString() == "0")
            losses.Remove("agreementWeight");
        return options;
    }

    // What weight files hold decides, not where they lie.
    public static SegmentationOptions Anywhere(SegmentationOptions options) =>
        options with { Backbone = null, InitialWeights = null };

    public static void AddWeights(JsonObject inputs, SegmentationOptions options)
    {
        if (options.Backbone is { } backbone) inputs["inputs"]!["backbone"] = OfWeights(backbone);
        if (options.InitialWeights is { } initial)
            inputs["inputs"]!["initialWeights"] = OfWeights(PretrainedWeights.FileOf(initial));
    }

    public static string OfWeights(string path) => File.Exists(path) ? ContentHash.OfFile(path)
        : throw new WeightsFormatException($"{path}: the file of weights does not exist. Check the path.");

    // What has no part in base training, at its default.
    public static TrainOptions BaseOf(TrainOptions options)
    {
        var plain = new TrainOptions();
        return options with
        {
            Losses = plain.Losses with
            {
                Weighting = options.Losses.Weighting,
            }, Siamese = plain.Siamese, CfgDropout = plain.CfgDropout, DecoderLocked = plain.DecoderLocked,
            Sampling = plain.Sampling, PreviewEvery = 0, PreviewCount = plain.PreviewCount,
        };
    }
}
