using System.Globalization;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Siamorph.Models;

/// <summary>
/// The hint encoder of ControlNet (arXiv 2302.05543), the baseline of Dense Hint Input: 3×3 convolutions with SiLU
/// between, widths w, 2w, 6w, 16w, halving with stride 2, then a zero-convolution.
/// </summary>
internal static class PlainHintEncoder
{
    private static readonly int[] Widths = [1, 2, 6, 16];

    public static Sequential Build(DenoiserConfig config)
    {
        var layers = new List<TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>>();
        var channels = config.HintWidth;
        layers.AddRange([NewLayer.Conv2d(config.HintChannels, channels, 3, padding: 1), SiLU(),
            NewLayer.Conv2d(channels, channels, 3, padding: 1), SiLU()]);
        for (var factor = 2; factor <= config.HintFactor; factor *= 2)
        {
            var wider = WidthAt(config, factor);
            layers.AddRange([NewLayer.Conv2d(channels, wider, 3, stride: 2, padding: 1), SiLU()]);
            if (factor < config.HintFactor) layers.AddRange([NewLayer.Conv2d(wider, wider, 3, padding: 1), SiLU()]);
            channels = wider;
        }
        layers.Add(NewLayer.Conv2d(channels, config.ModelChannels, 3, padding: 1));
        return Sequential([.. layers.Select((layer, i) => (i.ToString(CultureInfo.InvariantCulture), layer))]);
    }

    /// <summary>Channels once the hint has been made smaller by this factor.</summary>
    public static int WidthAt(DenoiserConfig config, int factor) =>
        config.HintWidth * Widths[Math.Min(System.Numerics.BitOperations.Log2((uint)factor), Widths.Length - 1)];
}
