using Siamorph.Imaging;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Siamorph.Evaluation.ImageSets;

/// <summary>
/// The image side of CLIP with a vision transformer (Radford et al. 2021): projected embeddings of length 1. Reads the keys of
/// Hugging Face (vision_model.…) and of OpenAI (visual.…); sizes are those of the file.
/// </summary>
internal sealed class ClipImageTower : FeatureNetwork
{
    private const int HeadWidth = 64;
    private static readonly float[] Mean = [.48145466f, .4578275f, .40821073f], Deviation = [.26862954f, .26130258f, .27577711f];
    private readonly bool _openAi;
    private readonly string _root;
    private readonly int _layers;

    /// <summary>Wraps weights under either layout of keys.</summary>
    /// <exception cref="WeightsMismatchException">A tensor is missing.</exception>
    public ClipImageTower(NetworkWeights weights) : base(weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        _openAi = weights.Has("visual.class_embedding");
        _root = _openAi ? "visual.transformer.resblocks" : "vision_model.encoder.layers";
        while (weights.Has(_openAi ? $"{_root}.{_layers}.ln_1.weight" : $"{_root}.{_layers}.layer_norm1.weight")) _layers++;
        var patch = Patches.shape[2];
        Side = (int)(patch * (long)Math.Round(Math.Sqrt(Positions.shape[0] - 1)));
    }

    /// <summary>Pixels of the square the network takes.</summary>
    public int Side { get; }

    /// <inheritdoc/>
    public override string Name => "CLIP ViT image tower";

    /// <inheritdoc/>
    public override string Preparation => $"bicubic {Side}, not antialiased, no crop";

    /// <inheritdoc/>
    public override Tensor Prepare(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        using var scope = NewDisposeScope();
        var x = FeatureResize.TorchBicubic(Levels(image) / 255, Side, Side).squeeze(0);
        return ((x - tensor(Mean).reshape(3, 1, 1)) / tensor(Deviation).reshape(3, 1, 1)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor Features(Tensor batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var patch = Patches.shape[2];
        var tokens = F.conv2d(batch, Patches, strides: [patch, patch]).flatten(2).transpose(1, 2);
        var first = Weights[_openAi ? "visual.class_embedding"
            : "vision_model.embeddings.class_embedding"].reshape(1, 1, -1).expand(batch.shape[0], 1, -1);
        var x = Weights.LayerNorm(cat([first, tokens], 1) + Positions, _openAi ? "visual.ln_pre" : "vision_model.pre_layrnorm");
        for (var k = 0; k < _layers; k++)
        {
            using var inner = NewDisposeScope();
            x = Layer(x, $"{_root}.{k}").MoveToOuterDisposeScope();
        }
        x = Weights.LayerNorm(x.select(1, 0), _openAi ? "visual.ln_post" : "vision_model.post_layernorm");
        x = _openAi ? x.matmul(Weights["visual.proj"]) : Weights.Linear(x, "visual_projection");
        return (x / x.square().sum(1, keepdim: true).sqrt()).MoveToOuterDisposeScope();
    }

    private Tensor Patches => Weights[_openAi ? "visual.conv1.weight" : "vision_model.embeddings.patch_embedding.weight"];

    private Tensor Positions => Weights[_openAi ? "visual.positional_embedding"
        : "vision_model.embeddings.position_embedding.weight"];

    private Tensor Layer(Tensor x, string at)
    {
        x = x + Attention(Weights.LayerNorm(x, _openAi ? $"{at}.ln_1" : $"{at}.layer_norm1"), at);
        var y = Weights.Linear(Weights.LayerNorm(x, _openAi ? $"{at}.ln_2" : $"{at}.layer_norm2"), _openAi ? $"{at}.mlp.c_fc"
            : $"{at}.mlp.fc1");
        y = y * (y * 1.702).sigmoid_(); // CLIP's quick GELU
        return x + Weights.Linear(y, _openAi ? $"{at}.mlp.c_proj" : $"{at}.mlp.fc2");
    }

    private Tensor Attention(Tensor x, string at)
    {
        var (batch, count, width) = (x.shape[0], x.shape[1], x.shape[2]);
        Tensor Heads(Tensor t) => t.reshape(batch, count, width / HeadWidth, HeadWidth).transpose(1, 2);
        Tensor[] parts = _openAi
            ? F.linear(x, Weights[$"{at}.attn.in_proj_weight"], Weights[$"{at}.attn.in_proj_bias"]).chunk(3, -1)
            : [Weights.Linear(x, $"{at}.self_attn.q_proj"), Weights.Linear(x, $"{at}.self_attn.k_proj"),
            Weights.Linear(x, $"{at}.self_attn.v_proj")];
        var y = F.scaled_dot_product_attention(Heads(parts[0]), Heads(parts[1]), Heads(parts[2]));
        return Weights.Linear(y.transpose(1, 2).reshape(batch, count, width), _openAi ? $"{at}.attn.out_proj"
            : $"{at}.self_attn.out_proj");
    }
}
