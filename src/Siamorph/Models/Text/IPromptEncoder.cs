using static TorchSharp.torch;

namespace Siamorph.Models.Text;

/// <summary>Prompts → the tokens that cross-attention reads.</summary>
internal interface IPromptEncoder : IDisposable
{
    /// <summary>The only prompts it can encode; empty where it reads any text.</summary>
    IReadOnlyList<string> Prompts { get; }

    /// <summary>True where its weights come from the user's files and are never trained.</summary>
    bool IsPretrained { get; }

    /// <summary>Encodes prompts.</summary>
    /// <returns>[B,L,D]; gradients reach what is trained of it.</returns>
    /// <exception cref="InvalidOptionsException">A prompt is not among <see cref="Prompts"/>.</exception>
    Tensor Encode(IReadOnlyList<string> prompts);
}
