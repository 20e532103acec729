using Siamorph.Imaging;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Siamorph.Evaluation.ImageSets;

/// <summary>
/// MobileNetV2 (Sandler et al. 2018) with torchvision's keys. Files whose batch normalisation is folded into biases follow
/// TensorFlow: strides pad on the right and below, levels in [-1,1]. Its distances are its own: neither FID nor LPIPS.
/// </summary>
internal sealed class MobileNetwork : FeatureNetwork
{
    private const int Side = 224, Last = 18;
    private static readonly int[] Strided = [2, 4, 7, 14];
    private readonly bool _folded;

    /// <summary>Wraps weights with or without batch normalisation.</summary>
    public MobileNetwork(NetworkWeights weights) : base(weights) => _folded = !weights.Has("features.0.1.running_mean");

    /// <inheritdoc/>
    public override string Name => "MobileNetV2";

    /// <inheritdoc/>
    public override string Preparation =>
        _folded ? "Pillow bilinear 224, levels to [-1,1]" : "Pillow bilinear 224, ImageNet mean and deviation";

    /// <inheritdoc/>
    public override Tensor Prepare(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        using var scope = NewDisposeScope();
        var levels = Levels(Resize.Image(image, new(Side, Side))).squeeze(0);
        if (_folded) return (levels / 127.5 - 1).MoveToOuterDisposeScope();
        float[] mean = [.485f, .456f, .406f], deviation = [.229f, .224f, .225f];
        return ((levels / 255 - tensor(mean).reshape(3, 1, 1)) / tensor(deviation).reshape(3, 1, 1)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor Features(Tensor batch)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var x = Maps(batch, [Last - 1])[0];
        return Conv(x, "features.18.0", "features.18.1", 1).clamp_(0, 6).mean([2, 3]).MoveToOuterDisposeScope();
    }

    /// <summary>What some of its blocks give, by their numbers in ascending order.</summary>
    /// <param name="batch">float32 [B,3,H,W], prepared.</param>
    /// <param name="blocks">From 1 to 17.</param>
    internal IReadOnlyList<Tensor> Maps(Tensor batch, IReadOnlyList<int> blocks)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var x = Conv(batch, "features.0.0", "features.0.1", 2).clamp_(0, 6);
        var maps = new List<Tensor>();
        for (var k = 1; k <= blocks[^1]; k++)
        {
            using var inner = NewDisposeScope();
            x = Block(x, $"features.{k}.conv", k).MoveToOuterDisposeScope();
            if (blocks.Contains(k)) maps.Add(x);
        }
        return [.. maps.Select(m => m.MoveToOuterDisposeScope())];
    }

    /// <summary>Probabilities of the file's classes, where it has a classifier: for checking the weights.</summary>
    public Tensor Classify(Tensor batch) =>
        Weights.Linear(Features(batch), Weights.Has("classifier.weight") ? "classifier" : "classifier.1").softmax(1);

    private Tensor Block(Tensor x, string at, int k)
    {
        var expands = k > 1;
        var y = expands ? Conv(x, $"{at}.0.0", $"{at}.0.1", 1).clamp_(0, 6) : x;
        var deep = expands ? $"{at}.1" : $"{at}.0";
        y = Conv(y, $"{deep}.0", $"{deep}.1", Strided.Contains(k) ? 2 : 1, depthwise: true).clamp_(0, 6);
        y = expands ? Conv(y, $"{at}.2", $"{at}.3", 1) : Conv(y, $"{at}.1", $"{at}.2", 1);
        return y.shape.SequenceEqual(x.shape) ? y.add_(x) : y;
    }

    private Tensor Conv(Tensor x, string key, string norm, long stride, bool depthwise = false)
    {
        var groups = depthwise ? x.shape[1] : 1;
        if (!_folded) return Weights.Conv(x, key, norm, stride, groups: groups, eps: 1e-5);
        if (stride == 1) return Weights.Conv(x, key, groups: groups);
        long Before(long n) => n % 2 == 0 ? 0 : 1; // a kernel of 3 that moves by 2 needs one or two more pixels
        return Weights.Conv(F.pad(x, [Before(x.shape[3]), 1, Before(x.shape[2]), 1]), key, stride: 2, same: false,
        groups: groups);
    }
}
