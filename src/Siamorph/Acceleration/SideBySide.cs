using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Acceleration;

/// <summary>
/// Two parts of a network at once, a thread each, for a single sample on small maps: there one operation is too short to be
/// shared among threads. A batch fills them by itself.
/// </summary>
internal static class SideBySide
{
    private const int LargestMap = 32 * 32, MostThreads = 4; // more threads than two parts can use are better used within each

    /// <summary>Whether networks over this latent gain by it.</summary>
    public static bool Pays(Tensor latent) =>
        KernelUse.Fits(latent) && latent.shape[0] == 1 && latent.shape[2] * latent.shape[3] <= LargestMap
        && get_num_threads() is > 1 and <= MostThreads && !StepProfile.IsOpen;

    /// <summary>Runs both, without gradients.</summary>
    /// <param name="scope">Gets their results.</param>
    /// <param name="first">Runs on one thread,</param>
    /// <param name="second">on another.</param>
    public static (IReadOnlyList<Tensor> First, IReadOnlyList<Tensor> Second) Run(
        DisposeScope scope, Func<IReadOnlyList<Tensor>> first, Func<IReadOnlyList<Tensor>> second)
    {
        var results = new IReadOnlyList<Tensor>[2];
        Workers.Apart(2, i =>
        {
            using var noGrad = no_grad();
            using var own = NewDisposeScope();
            results[i] = i == 0 ? first() : second();
            foreach (var tensor in results[i]) own.Detach(tensor);
        });
        foreach (var tensor in results.SelectMany(r => r)) scope.Attach(tensor);
        return (results[0], results[1]);
    }
}
