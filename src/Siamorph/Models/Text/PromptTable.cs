using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Siamorph.Models.Text;

/// <summary>
/// The prompt encoder of the CPU presets: a learned short sequence of tokens for each distinct prompt, and one for the
/// empty prompt.
/// </summary>
internal sealed class PromptTable : Module, IPromptEncoder
{
    private const double Deviation = 0.02;
    private readonly Dictionary<string, long> _rows = [];

    /// <summary>Makes one row for the empty prompt and one for each of the others.</summary>
    /// <param name="prompts">Distinct prompts; the empty one may be among them.</param>
    /// <param name="length">Tokens of a prompt.</param>
    /// <param name="width">Channels of a token.</param>
    /// <param name="seed">Draws the first values.</param>
    public PromptTable(IEnumerable<string> prompts, int length, int width, Seed seed) : base(nameof(PromptTable))
    {
        Prompts = ["", .. prompts.Where(p => p.Length > 0).Distinct().Order(StringComparer.Ordinal)];
        for (var i = 0; i < Prompts.Count; i++) _rows[Prompts[i]] = i;
        using var generator = seed.Generator();
        using var values = randn([Prompts.Count, length, width], generator: generator);
        register_parameter("tokens", Parameter(values * Deviation));
    }

    /// <summary>The prompts it knows; the first is the empty one.</summary>
    public IReadOnlyList<string> Prompts { get; }

    /// <inheritdoc/>
    public bool IsPretrained => false;

    // Asked for anew each time: moving to another device replaces it.
    private Parameter Tokens => get_parameter("tokens")!;

    /// <summary>Looks prompts up.</summary>
    /// <returns>[B, length, width]; gradients reach the rows used.</returns>
    /// <exception cref="InvalidOptionsException">A prompt was not there in training.</exception>
    public Tensor Encode(IReadOnlyList<string> prompts)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        using var scope = NewDisposeScope();
        var rows = tensor(prompts.Select(Row).ToArray(), device: Tokens.device);
        return Tokens.index_select(0, rows).MoveToOuterDisposeScope();
    }

    private long Row(string prompt) => _rows.TryGetValue(prompt, out var row)
        ? row
        : throw new InvalidOptionsException(
            $"The model has not learned the prompt \"{prompt}\". It knows: "
                + $"{string.Join(", ", Prompts.Select(p => $"\"{p}\""))}.");
}
