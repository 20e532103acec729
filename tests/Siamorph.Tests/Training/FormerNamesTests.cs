using System.Text.Json.Nodes;
using Siamorph.Diffusion;
using Siamorph.Siamese;
using Siamorph.Training;

namespace Siamorph.Tests.Training;

/// <summary>
/// Options of the version before: read where the product wrote them, refused with the new name where a person did.
/// </summary>
public sealed class FormerNamesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void OptionsOfARun_AreReadAsBefore()
    {
        File.WriteAllText(_folder["options.json"], Former(Presets.Tiny).ToJsonString());
        Assert.Equal(OptionsFile.ToJson(Presets.Tiny), OptionsFile.ToJson(new RunFolder(_folder.Path).Options<TrainOptions>()));
    }

    [Fact]
    public void StateOfACheckpoint_IsReadAsBefore_AndStaysAsItWas()
    {
        var state = new JsonObject { ["options"] = Former(Presets.Tiny), ["prompts"] = new JsonArray("a polyp") };
        var text = state.ToJsonString();
        using var pipeline = SiamesePipeline.FromState(state, "state.json");
        Assert.Equal((PredictionType.Sample, 0.1, true),
            (pipeline.Options.PredictionType, pipeline.Options.CfgDropout, pipeline.Options.Sampling.SetAlphaToOne));
        Assert.Equal(text, state.ToJsonString());
    }

    [Fact]
    public void FileOfAPerson_NamesEveryNewSpelling()
    {
        var message = Assert.Throws<InvalidOptionsException>(() =>
            OptionsFile.FromJson<TrainOptions>(Former(Presets.Tiny), "o.json")).Message;
        Assert.Equal(
            [
                "o.json: option 'target' is called 'predictionType' now (noise is epsilon, cleanLatent is sample).",
                "o.json: option 'controlDropout' is called 'cfgDropout' now.",
                "o.json: option 'recomputeActivations' is called 'gradientCheckpointing' now.",
                "o.json: option 'sampling.finalStep' is called 'sampling.setAlphaToOne' now (firstAlphaBar is false, cleanLatent "
                    + "is true).",
            ],
            message.Split('\n').Order(StringComparer.Ordinal)
                .OrderBy(l => Array.FindIndex(["target", "control", "recompute", "final"],
                w => l.Contains(w, StringComparison.Ordinal))));
    }

    private static JsonObject Former(TrainOptions options)
    {
        var node = OptionsFile.ToNode(options);
        Rename(node, "predictionType", "target", options.PredictionType == PredictionType.Sample ? "cleanLatent" : "noise");
        Rename(node, "cfgDropout", "controlDropout", options.CfgDropout);
        Rename(node, "gradientCheckpointing", "recomputeActivations", options.GradientCheckpointing);
        Rename(node["sampling"]!.AsObject(), "setAlphaToOne", "finalStep", options.Sampling.SetAlphaToOne ? "cleanLatent"
            : "firstAlphaBar");
        return node;
    }

    private static void Rename(JsonObject node, string present, string former, JsonNode value)
    {
        Assert.True(node.Remove(present));
        node[former] = value;
    }
}
