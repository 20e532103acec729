using Siamorph.Imaging;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Siamorph.Evaluation.ImageSets;

/// <summary>How images reach the Inception network; the published FID tools differ in nothing else.</summary>
internal enum InceptionResize
{
    /// <summary>pytorch-fid: bilinear to 299 without antialiasing, levels to [-1,1].</summary>
    PytorchFid,

    /// <summary>torch-fidelity: bilinear of TensorFlow 1 (no half-pixel shift) on levels, then (x − 128) / 128.</summary>
    Tf1,

    /// <summary>clean-fid: Pillow's bicubic on floating point, antialiased.</summary>
    CleanFid,
}

/// <summary>
/// The Inception v3 of FID (Heusel et al. 2017). It differs from torchvision's: average pooling doesn't count padding, and the
/// last block pools by maximum. Keys are those of the published file, or of pytorch-fid's wrapper (blocks.b.i).
/// </summary>
internal sealed class InceptionNetwork : FeatureNetwork
{
    private const int Side = 299;
    private readonly InceptionResize _resize;

    internal static readonly string[][] WrapperBlocks =
    [
        ["Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3"],
        ["Conv2d_3b_1x1", "Conv2d_4a_3x3"],
        ["Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"],
        ["Mixed_7a", "Mixed_7b", "Mixed_7c"],
    ];

    /// <summary>Wraps weights under either layout of keys.</summary>
    public InceptionNetwork(NetworkWeights weights, InceptionResize resize = InceptionResize.PytorchFid) : base(Named(weights)) =>
        _resize = resize;

    /// <inheritdoc/>
    public override string Name => "FID-Inception";

    /// <inheritdoc/>
    public override string Preparation => _resize switch
    {
        InceptionResize.PytorchFid => "pytorch-fid: bilinear 299, not antialiased",
        InceptionResize.Tf1 => "torch-fidelity: TensorFlow 1 bilinear 299",
        _ => "clean-fid: Pillow bicubic 299, antialiased",
    };

    /// <inheritdoc/>
    public override Tensor Prepare(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        using var scope = NewDisposeScope();
        return Prepare(Levels(image)).squeeze(0).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor Features(Tensor batch) => Features(batch, null);

    // Levels 0…255 as the network takes them.
    internal Tensor Prepare(Tensor levels) => _resize switch
    {
        InceptionResize.PytorchFid => FeatureResize.TorchBilinear(levels / 255, Side, Side) * 2 - 1,
        InceptionResize.Tf1 => (FeatureResize.Tf1Bilinear(levels, Side, Side) - 128) / 128,
        _ => FeatureResize.CleanFid(levels, Side, Side) / 127.5 - 1,
    };

    // Tells each block's output to whoever listens.
    internal Tensor Features(Tensor batch, Action<string, Tensor>? tap)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var x = Conv(batch, "Conv2d_1a_3x3", 2, same: false);
        x = Conv(Conv(x, "Conv2d_2a_3x3", same: false), "Conv2d_2b_3x3");
        x = Tapped("block0", MaxPool(x));
        x = Conv(Conv(x, "Conv2d_3b_1x1", same: false), "Conv2d_4a_3x3", same: false);
        x = Tapped("block1", MaxPool(x));
        foreach (var name in new[] { "Mixed_5b", "Mixed_5c", "Mixed_5d" }) x = Tapped(name, BlockA(x, name));
        x = Tapped("Mixed_6a", BlockB(x, "Mixed_6a"));
        foreach (var name in new[] { "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e" }) x = Tapped(name, BlockC(x, name));
        x = Tapped("Mixed_7a", BlockD(x, "Mixed_7a"));
        x = Tapped("Mixed_7b", BlockE(x, "Mixed_7b", Average(x)));
        x = Tapped("Mixed_7c", BlockE(x, "Mixed_7c", F.max_pool2d(x, 3, 1, 1)));
        return x.mean([2, 3]).MoveToOuterDisposeScope();

        Tensor Tapped(string name, Tensor value)
        {
            tap?.Invoke(name, value);
            return value;
        }
    }

    private Tensor BlockA(Tensor x, string at) => cat([
        Conv(x, $"{at}.branch1x1"), Chain(x, at, "branch5x5_1", "branch5x5_2"),
        Chain(x, at, "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"), Conv(Average(x), $"{at}.branch_pool")], 1);

    private Tensor BlockB(Tensor x, string at) => cat([
        Conv(x, $"{at}.branch3x3", 2, same: false),
        Conv(Chain(x, at, "branch3x3dbl_1", "branch3x3dbl_2"), $"{at}.branch3x3dbl_3", 2, same: false), MaxPool(x)], 1);

    private Tensor BlockC(Tensor x, string at) => cat([
        Conv(x, $"{at}.branch1x1"), Chain(x, at, "branch7x7_1", "branch7x7_2", "branch7x7_3"),
        Chain(x, at, "branch7x7dbl_1", "branch7x7dbl_2", "branch7x7dbl_3", "branch7x7dbl_4", "branch7x7dbl_5"),
        Conv(Average(x), $"{at}.branch_pool")], 1);

    private Tensor BlockD(Tensor x, string at) => cat([
        Conv(Conv(x, $"{at}.branch3x3_1"), $"{at}.branch3x3_2", 2, same: false),
        Conv(Chain(x, at, "branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3"), $"{at}.branch7x7x3_4", 2, same: false),
        MaxPool(x)], 1);

    private Tensor BlockE(Tensor x, string at, Tensor pooled)
    {
        var three = Conv(x, $"{at}.branch3x3_1");
        var twice = Chain(x, at, "branch3x3dbl_1", "branch3x3dbl_2");
        return cat([
            Conv(x, $"{at}.branch1x1"), Conv(three, $"{at}.branch3x3_2a"), Conv(three, $"{at}.branch3x3_2b"),
            Conv(twice, $"{at}.branch3x3dbl_3a"), Conv(twice, $"{at}.branch3x3dbl_3b"), Conv(pooled, $"{at}.branch_pool")], 1);
    }

    private Tensor Chain(Tensor x, string at, params string[] convolutions) =>
        convolutions.Aggregate(x, (y, name) => Conv(y, $"{at}.{name}"));

    private Tensor Conv(Tensor x, string key, long stride = 1, bool same = true) =>
        Weights.Conv(x, $"{key}.conv", $"{key}.bn", stride, same).relu_();

    private static Tensor MaxPool(Tensor x) => F.max_pool2d(x, 3, 2);

    private static Tensor Average(Tensor x) => F.avg_pool2d(x, 3, 1, 1, count_include_pad: false);

    private static NetworkWeights Named(NetworkWeights weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        return weights.Has("blocks.0.0.conv.weight") ? weights.Renamed(Name) : weights;

        static string? Name(string key)
        {
            var parts = key.Split('.', 4);
            return parts[0] == "blocks" && int.TryParse(parts[1], out var block) && int.TryParse(parts[2], out var index)
                && block < WrapperBlocks.Length
                && index < WrapperBlocks[block].Length ? $"{WrapperBlocks[block][index]}.{parts[3]}" : null;
        }
    }
}
