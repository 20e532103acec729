using System.Text.Json;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Siamese.WeightFiles;

/// <summary>
/// Gives a model the weights of another one of the same sizes, such as a base model, to begin with: networks, the codec's centre
/// and scale, and prompts. A prompt that the other has not learned begins as its empty one.
/// </summary>
internal static class InitialModel
{
    /// <summary>The metadata entry of a weight file that names the prompts it has learned, a JSON array.</summary>
    public const string PromptsKey = "prompts";

    private const string Tokens = SiamesePipeline.PromptPrefix + "tokens";

    /// <summary>Copies all weights.</summary>
    /// <param name="pipeline">Receives them.</param>
    /// <param name="path">A run of `train`, a checkpoint of one, or a file that <see cref="Write"/> wrote.</param>
    /// <returns>One line about it.</returns>
    /// <exception cref="SiamorphException">It can't be read, or is of other sizes.</exception>
    public static string Load(SiamesePipeline pipeline, string path)
    {
        if (RunCheckpoint.At(path) is { } run)
        {
            using var other = SiamesePipeline.LoadCheckpoint(run.Folder);
            return Copy(pipeline, WeightTable.Of(other.Tensors()), other.Prompts.Prompts, path);
        }
        using var file = WeightsFile.Open(path);
        return Copy(pipeline, file, PromptsOf(file, path), path);
    }

    /// <summary>Writes a model as one file, networks and prompts in 16 bits.</summary>
    /// <param name="pipeline">The model.</param>
    /// <param name="path">A .safetensors file.</param>
    /// <param name="facts">What else its metadata shall say.</param>
    public static void Write(SiamesePipeline pipeline, string path, IReadOnlyDictionary<string, string> facts)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var tensors = pipeline.Tensors().ToDictionary(
            t => t.Key, t => t.Key.StartsWith(SiamesePipeline.CodecPrefix, StringComparison.Ordinal)
                || !t.Value.is_floating_point() ? t.Value : t.Value.to(float16));
        SafeTensors.Write(path, tensors, new Dictionary<string, string>(facts)
        {
            [PromptsKey] = JsonSerializer.Serialize(pipeline.Prompts.Prompts),
        });
    }

    private static List<string> PromptsOf(WeightsFile file, string path)
    {
        try
        {
            return file.Metadata.TryGetValue(PromptsKey, out var text) ? JsonSerializer.Deserialize<List<string>>(text)! : [""];
        }
        catch (JsonException e)
        {
            throw new WeightsFormatException(
                $"{path}: its list of prompts is damaged ({e.Message.TrimEnd('.')}). Use a file written by \"siamorph "
                    + $"base build\".", e);
        }
    }

    private static string Copy(SiamesePipeline pipeline, WeightTable weights, IReadOnlyList<string> prompts, string path)
    {
        var faults = new List<string>();
        var own = pipeline.Tensors();
        foreach (var (key, tensor) in own)
            if (!weights.TryGet(key, out var entry)) faults.Add($"{key} is missing");
            else if (key != Tokens && !entry.Shape.SequenceEqual(tensor.shape))
                faults.Add($"{key} is [{string.Join(',', entry.Shape)}], the model's [{string.Join(',', tensor.shape)}]");
        if (faults.Count > 0)
            throw new WeightsMismatchException(
                $"{path}: the weights are of a model with other sizes; {faults[0]}"
                    + $"{(faults.Count > 1 ? $", and {faults.Count - 1} more" : "")}. Use weights of the same preset, or start "
                    + $"without (initialWeights null).");
        using var noGrad = no_grad();
        foreach (var (key, tensor) in own)
        {
            using var stored = weights.Read(key, ScalarType.Float32);
            if (key == Tokens) CopyPrompts(tensor, pipeline.Prompts.Prompts, stored, prompts, path);
            else tensor.copy_(stored);
        }
        var learned = pipeline.Prompts.Prompts.Count(prompts.Contains);
        return $"Begins with the weights of {path}: {own.Count} tensors, {learned} of {pipeline.Prompts.Prompts.Count} prompts.";
    }

    private static void CopyPrompts(
        Tensor tokens, IReadOnlyList<string> own, Tensor stored, IReadOnlyList<string> prompts, string path)
    {
        if (stored.dim() != tokens.dim() || stored.shape[0] != prompts.Count
            || !stored.shape.Skip(1).SequenceEqual(tokens.shape.Skip(1)))
            throw new WeightsMismatchException(
                $"{path}: its prompts differ in form from the model's. Use weights of the same preset, or start without "
                    + $"(initialWeights null).");
        using var scope = NewDisposeScope();
        var places = prompts.Select((p, i) => (p, i)).ToDictionary();
        for (var row = 0; row < own.Count; row++)
            // Unknown ones begin as the empty one, which is the first
            tokens[row].copy_(stored[places.GetValueOrDefault(own[row])]);
    }
}
