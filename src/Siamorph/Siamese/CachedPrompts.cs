using Siamorph.Models.Text;
using Siamorph.Training;
using static TorchSharp.torch;

namespace Siamorph.Siamese;

/// <summary>
/// The tokens of a run's prompts, kept in memory and on disk, so that the text model itself is needed no longer.
/// </summary>
internal sealed class CachedPrompts : IPromptEncoder
{
    private readonly Dictionary<string, Tensor> _tokens = [];

    /// <summary>Encodes what the cache lacks.</summary>
    /// <param name="encoder">Whose answers are kept; may be disposed afterwards.</param>
    /// <param name="fingerprint">Of the encoder's weights.</param>
    /// <param name="prompts">All that will be asked for; the empty one is added.</param>
    /// <param name="cache">On disk.</param>
    public CachedPrompts(IPromptEncoder encoder, string fingerprint, IEnumerable<string> prompts, ContentCache cache)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        foreach (var prompt in prompts.Append("").Distinct())
            _tokens[prompt] = cache.Get(ContentCache.KeyOf($"prompt|{fingerprint}|{prompt}"), () => encoder.Encode([prompt]))
                .DetachFromDisposeScope();
        Prompts = [.. _tokens.Keys.Order(StringComparer.Ordinal)];
    }

    public IReadOnlyList<string> Prompts { get; }

    public bool IsPretrained => true;

    public Tensor Encode(IReadOnlyList<string> prompts) => cat([.. prompts.Select(Of)]);

    public void Dispose()
    {
        foreach (var tokens in _tokens.Values) tokens.Dispose();
    }

    private Tensor Of(string prompt) => _tokens.TryGetValue(prompt, out var tokens)
        ? tokens
        : throw new InvalidOptionsException($"The prompt \"{prompt}\" was not prepared for this run.");
}
