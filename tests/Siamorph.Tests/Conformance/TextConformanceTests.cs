using System.Text.Json;
using System.Text.Json.Nodes;
using Siamorph.Models.Text;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests.Conformance;

public class TextConformanceTests
{
    private const double Tolerance = 2e-5;

    [Fact]
    public void ClipTextModel_EqualsReference()
    {
        using var scope = NewDisposeScope();
        const string file = "weights_clip_text.safetensors";
        var golden = DiffusionFixtures.Tensors("clip_text.safetensors");
        var c = JsonNode.Parse(SafeTensors.ReadHeader(DiffusionFixtures.File(file)).Metadata["config"])!;
        using var model = new ClipTextModel(new ClipTextConfig
        {
            VocabularySize = (int)c["vocab_size"]!,
            Length = (int)c["max_position_embeddings"]!,
            Width = (int)c["hidden_size"]!,
            Layers = (int)c["num_hidden_layers"]!,
            Heads = (int)c["num_attention_heads"]!,
            FeedForwardWidth = (int)c["intermediate_size"]!,
        });
        var weights = DiffusionFixtures.Tensors(file);
        weights.TryAdd(ClipTextModel.OptionalKey, StateDict.Of(model)[ClipTextModel.OptionalKey]);
        StateDict.Apply(model, weights, file);
        DiffusionFixtures.AssertClose(golden["last_hidden_state"], model.Forward(golden["input_ids"]), Tolerance,
            "last hidden state");
    }

    [Fact]
    public void Tokenizer_GivesTheNumbersOfEveryString()
    {
        var tokenizer = new ClipTokenizer(BpeVocabulary.Read(DiffusionFixtures.File("bpe_simple_vocab_16e6.txt.gz")));
        AssertEveryString(tokenizer);
    }

    [Fact]
    public void Tokenizer_OfVocabularyAndMergesFiles_GivesTheSame()
    {
        var list = BpeVocabulary.Read(DiffusionFixtures.File("bpe_simple_vocab_16e6.txt.gz"));
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["vocab.json"], JsonSerializer.Serialize(list.Ids));
        File.WriteAllLines(folder["merges.txt"], list.Merges.Select(m => $"{m.Left} {m.Right}").Prepend("#version: 0.2"));
        AssertEveryString(new ClipTokenizer(BpeVocabulary.Read(folder.Path)));
    }

    private static void AssertEveryString(ClipTokenizer tokenizer)
    {
        var golden = DiffusionFixtures.Json("tokenizer.json");
        Assert.Equal((long)golden["bos"]!, tokenizer.Begin);
        Assert.Equal((long)golden["eos"]!, tokenizer.End);
        Assert.Equal((int)golden["length"]!, tokenizer.Length);
        var faults = golden["cases"]!.AsArray()
            .Where(c => !tokenizer.Encode((string)c!["text"]!).SequenceEqual(c["ids"].Deserialize<long[]>()!))
            .Select(c => $"{c!["text"]!.ToJsonString()}: {string.Join(' ', tokenizer.Content((string)c["text"]!))} instead of "
            + $"{string.Join(' ', c["ids"].Deserialize<long[]>()!.Skip(1).Take(24))}");
        Assert.Empty(faults);
    }
}
