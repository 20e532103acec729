using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Siamorph.Models.Text;

/// <summary>
/// The prompt encoder of Stable Diffusion 1.5: CLIP's tokenizer and text model, all tokens of the last hidden state. Any
/// prompt can be encoded; nothing of it is trained.
/// </summary>
internal sealed class ClipPromptEncoder : Module, IPromptEncoder
{
    private readonly ClipTextModel transformer;
    private readonly ClipTokenizer? _tokenizer;

    /// <summary>Builds the text model, for weights that are loaded next.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="tokenizer">Splits prompts; null for a model of which only the weights are of interest.</param>
    /// <exception cref="InvalidOptionsException">The numbers of the config don't fit together.</exception>
    public ClipPromptEncoder(ClipTextConfig config, ClipTokenizer? tokenizer) : base(nameof(ClipPromptEncoder))
    {
        transformer = new ClipTextModel(config);
        _tokenizer = tokenizer;
        RegisterComponents();
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Prompts => [];

    /// <inheritdoc/>
    public bool IsPretrained => true;

    /// <summary>Encodes prompts, cut at the model's length.</summary>
    /// <returns>[B,L,D].</returns>
    /// <exception cref="InvalidOperationException">It was made without a tokenizer.</exception>
    public Tensor Encode(IReadOnlyList<string> prompts)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        var tokenizer = _tokenizer ?? throw new InvalidOperationException("This prompt encoder was made without a tokenizer.");
        using var tokens = tensor(prompts.SelectMany(tokenizer.Encode).ToArray(), [prompts.Count, tokenizer.Length]);
        using var placed = tokens.to(this.parameters().First().device);
        return transformer.Forward(placed);
    }
}
