using static TorchSharp.torch;

namespace Siamorph.Segmentation.Networks;

/// <summary>What every segmentation network gives: logits of an image, and the heads that its training looks at.</summary>
internal abstract class SegmentationNetwork : nn.Module<Tensor, Tensor>
{
    private readonly string _name;

    /// <summary>Names the module.</summary>
    private protected SegmentationNetwork(string name) : base(name) => _name = name;

    /// <summary>What the network decides by.</summary>
    /// <param name="input">[B,3,H,W], normalised as <see cref="Input"/> says.</param>
    /// <returns>Logits [B, Classes, H, W]: of one class, positive means lesion; of several, the largest wins.</returns>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var scope = NewDisposeScope();
        return Decide(Heads(input), input.shape[2], input.shape[3]).MoveToOuterDisposeScope();
    }

    /// <summary>Logits of images as the product holds them.</summary>
    /// <param name="images">float32 [B,3,H,W] in [-1,1].</param>
    /// <returns>As <see cref="forward"/>.</returns>
    public Tensor Logits(Tensor images)
    {
        using var scope = NewDisposeScope();
        return forward(Normalised(images)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Each output that the loss is taken of, [B, Classes, h, w] at the network's own resolution; the caller disposes them.
    /// </summary>
    /// <param name="input">[B,3,H,W], normalised as <see cref="Input"/> says.</param>
    public abstract IReadOnlyList<Tensor> Heads(Tensor input);

    /// <summary>The heads, and the embedding of pixels where the network has one, both for training.</summary>
    internal virtual (IReadOnlyList<Tensor> Heads, Tensor? Embedding) HeadsAndEmbedding(Tensor input) => (Heads(input), null);

    /// <summary>How the network wants its pixels.</summary>
    public virtual InputNormalisation Input => InputNormalisation.ImageNet;

    /// <summary>The part that a classification network's weights fit, or null where there is none.</summary>
    public virtual nn.Module? Backbone => null;

    /// <summary>Where that part's keys begin in this network, such as "backbone.".</summary>
    public string BackbonePrefix =>
        Backbone is null ? "" : named_children().First(c => ReferenceEquals(c.module, Backbone)).name + ".";

    /// <summary>Whether heads are scaled to the masks' size with the corner pixels' centres kept (align_corners).</summary>
    public virtual bool AlignCorners => false;

    /// <summary>What the random layers (dropped paths and channels) draw from while training.</summary>
    internal LayerNoise Noise { get; } = new();

    /// <summary>Images in [-1,1] as the network wants them.</summary>
    internal Tensor Normalised(Tensor images) => Input switch
    {
        InputNormalisation.ImageNet => Operators.Affine(images, ImageNetFactor, ImageNetShift),
        _ => Operators.Note(images.alias(), "Identity", [images]),
    };

    /// <summary>The decision, at the input's size, from the heads.</summary>
    private protected virtual Tensor Decide(IReadOnlyList<Tensor> heads, long height, long width) =>
        Operators.ScaleTo(heads[0], height, width, AlignCorners);

    /// <inheritdoc/>
    public override string GetName() => _name;

    // ((x + 1) / 2 − mean) / deviation = x / (2 · deviation) + (½ − mean) / deviation.
    private static readonly double[] Mean = [0.485, 0.456, 0.406], Deviation = [0.229, 0.224, 0.225];
    internal static readonly float[] ImageNetFactor = [.. Deviation.Select(d => (float)(0.5 / d))];
    internal static readonly float[] ImageNetShift = [.. Mean.Zip(Deviation, (m, d) => (float)((0.5 - m) / d))];
}

/// <summary>How pixels are scaled before a network sees them.</summary>
internal enum InputNormalisation
{
    /// <summary>To [-1, 1].</summary>
    Unit,

    /// <summary>To [0, 1], less ImageNet's mean of each channel, over its deviation.</summary>
    ImageNet,
}
