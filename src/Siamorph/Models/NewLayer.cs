using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Siamorph.Models;

/// <summary>
/// Makes the layers of the networks in this folder, with libtorch's own first weights. Within <see cref="WithoutNumbers"/> they
/// have shapes alone, so that a network of a billion weights can be built to list its keys.
/// </summary>
internal static class NewLayer
{
    // Of this thread alone. Libtorch's default device would be that of the whole process: what another thread builds meanwhile
    // would have no numbers either.
    [ThreadStatic]
    private static bool _shapesAlone;

    /// <summary>Where a layer made now has its weights; null is the usual place.</summary>
    public static Device? Place => _shapesAlone ? new Device(DeviceType.META) : null;

    /// <summary>Builds something, on this thread, whose layers have no storage.</summary>
    public static T WithoutNumbers<T>(Func<T> build)
    {
        ArgumentNullException.ThrowIfNull(build);
        var before = _shapesAlone;
        _shapesAlone = true;
        try
        {
            return build();
        }
        finally
        {
            _shapesAlone = before;
        }
    }

    public static Conv2d Conv2d(
        long channels, long result, long kernel, long stride = 1, long padding = 0, bool hasBias = true) =>
        nn.Conv2d(channels, result, kernel, stride: stride, padding: padding, bias: hasBias, device: Place);

    public static Linear Linear(long inputs, long outputs, bool hasBias = true) =>
        nn.Linear(inputs, outputs, hasBias, device: Place);

    public static GroupNorm GroupNorm(long groups, long channels, double epsilon = 1e-5) =>
        nn.GroupNorm(groups, channels, epsilon, device: Place);

    public static LayerNorm LayerNorm(long width) => nn.LayerNorm(width, device: Place);

    public static Embedding Embedding(long count, long width) => nn.Embedding(count, width, device: Place);
}
