using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Siamorph.Models.Text;

/// <summary>
/// The text half of CLIP (arXiv 2103.00020): tokens and positions embedded, pre-norm transformer layers in which a token sees
/// those before it and itself, quick GELU, a last LayerNorm. It stays as it was trained.
/// </summary>
internal sealed class ClipTextModel : Module
{
    /// <summary>A key that older files have and newer ones lack: it only counts the positions.</summary>
    public const string OptionalKey = "text_model.embeddings.position_ids";

    private readonly TextTower text_model;

    /// <summary>Builds the network with libtorch's own initial weights, for weights that are loaded next.</summary>
    /// <exception cref="InvalidOptionsException">The numbers of the config don't fit together.</exception>
    public ClipTextModel(ClipTextConfig config) : base(nameof(ClipTextModel))
    {
        ArgumentNullException.ThrowIfNull(config);
        if (config.Validate() is { Count: > 0 } faults) throw new InvalidOptionsException(faults);
        Config = config;
        text_model = new TextTower(config);
        RegisterComponents();
    }

    /// <summary>The sizes it was built with.</summary>
    public ClipTextConfig Config { get; }

    /// <summary>The last hidden state, after the last LayerNorm: one vector for each token, padding included.</summary>
    /// <param name="tokens">int64 [B,L], L up to the config's length.</param>
    /// <returns>[B,L,D].</returns>
    public Tensor Forward(Tensor tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        using var noGrad = no_grad();
        return text_model.Forward(tokens);
    }

    private sealed class TextTower : Module
    {
        private readonly TextEmbeddings embeddings;
        private readonly TextEncoder encoder;
        private readonly LayerNorm final_layer_norm;

        public TextTower(ClipTextConfig config) : base(nameof(TextTower))
        {
            (embeddings, encoder, final_layer_norm) = (new(config), new(config), NewLayer.LayerNorm(config.Width));
            RegisterComponents();
        }

        public Tensor Forward(Tensor tokens)
        {
            using var scope = NewDisposeScope();
            return final_layer_norm.call(encoder.Forward(embeddings.Forward(tokens))).MoveToOuterDisposeScope();
        }
    }

    private sealed class TextEmbeddings : Module
    {
        private readonly Embedding token_embedding;
        private readonly Embedding position_embedding;
        private readonly Tensor position_ids;

        public TextEmbeddings(ClipTextConfig config) : base(nameof(TextEmbeddings))
        {
            token_embedding = NewLayer.Embedding(config.VocabularySize, config.Width);
            position_embedding = NewLayer.Embedding(config.Length, config.Width);
            position_ids = arange(config.Length, dtype: int64, device: NewLayer.Place).unsqueeze(0);
            register_module(nameof(token_embedding), token_embedding);
            register_module(nameof(position_embedding), position_embedding);
            register_buffer(nameof(position_ids), position_ids);
        }

        public Tensor Forward(Tensor tokens)
        {
            using var positions = position_embedding.weight!.narrow(0, 0, tokens.shape[1]);
            using var words = token_embedding.call(tokens);
            return words + positions;
        }
    }

    private sealed class TextEncoder : Module
    {
        private readonly ModuleList<ClipTextLayer> layers;

        public TextEncoder(ClipTextConfig config) : base(nameof(TextEncoder))
        {
            layers = new([.. Enumerable.Range(0, config.Layers).Select(_ => new ClipTextLayer(config))]);
            RegisterComponents();
        }

        public Tensor Forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            var length = x.shape[1];
            // -∞ above the diagonal: what comes later is not seen.
            var mask = full([length, length], float.NegativeInfinity, x.dtype, x.device).triu(1);
            foreach (var layer in layers) x = layer.Forward(x, mask);
            return x.MoveToOuterDisposeScope();
        }
    }
}
