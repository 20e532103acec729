using System.CommandLine;
using System.Text.Json.Nodes;
using Siamorph.Siamese.WeightFiles;
using Siamorph.Weights;

namespace Siamorph.Cli;

/// <summary>`siamorph weights keys --preset NAME`.</summary>
internal static class WeightsKeysCommand
{
    public static Command Create()
    {
        var preset = new Option<string>("--preset")
        {
            Description = $"Preset: {string.Join(", ", CheckpointKeys.Presets)}.", HelpName = "name", DefaultValueFactory = _ =>
                CheckpointKeys.Presets[0],
        };
        var json = new Option<bool>("--json") { Description = "Prints a JSON list of {name, shape, dtype}." };
        var command = new Command("keys", "Lists the tensors of a preset's full checkpoint without creating them.")
        {
            preset, json,
        };
        return command.Runs(context =>
        {
            var keys = CheckpointKeys.Of(context.Get(preset)!);
            if (context.Get(json)) context.Out.WriteLine(ToJson(keys));
            else foreach (var key in keys)
                context.Out.WriteLine($"{key.Name} {SafeTensors.NameOf(key.DType)} [{string.Join(",", key.Shape)}]");
        });
    }

    private static string ToJson(IEnumerable<CheckpointKey> keys) => new JsonArray([.. keys.Select(k => (JsonNode)new JsonObject
    {
        ["name"] = k.Name,
        ["shape"] = new JsonArray([.. k.Shape.Select(d => (JsonNode)d)]),
        ["dtype"] = SafeTensors.NameOf(k.DType),
    })]).ToJsonString();
}
