using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Siamorph.Models.Codecs;

/// <summary>
/// The latent of the CPU presets: two levels of Haar wavelets, all bands split again (48 channels, factor 4). The
/// transform is orthonormal, so it needs no training and loses nothing. Each channel is centred, and all are divided by
/// the one largest deviation, so that detail bands keep their natural small size (docs/decisions/0004-tiny-predicts-x0.md).
/// </summary>
internal sealed class HaarCodec : Module, ILatentCodec
{
    private const int Colours = 3;
    private const int Block = 4;
    private readonly Tensor _kernel;
    private readonly Tensor _mean;
    private readonly Tensor _scale;

    /// <summary>Starts with mean 0 and scale 1; see <see cref="Fit"/>.</summary>
    public HaarCodec() : base(nameof(HaarCodec))
    {
        (_kernel, _mean, _scale) = (Kernel(), zeros(Channels), ones(1));
        register_buffer("kernel", _kernel, persistent: false);
        register_buffer("mean", _mean);
        register_buffer("scale", _scale);
    }

    /// <inheritdoc/>
    public int Factor => Block;

    /// <inheritdoc/>
    public int Channels => Colours * Block * Block;

    /// <inheritdoc/>
    public bool IsPretrained => false;

    /// <inheritdoc/>
    public Tensor Moments(Tensor images) => Encode(images);

    /// <inheritdoc/>
    public Tensor Latent(Tensor moments, Tensor? noise = null)
    {
        ArgumentNullException.ThrowIfNull(moments);
        return moments.alias();
    }

    /// <summary>Takes centre and scale from images.</summary>
    /// <param name="images">uint8 [N,3,H,W]; H and W divisible by 4.</param>
    public void Fit(Tensor images)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var (sum, squares, count) = (zeros(Channels, float64), zeros(Channels, float64), 0L);
        const int atOnce = 256;
        for (var from = 0L; from < images.shape[0]; from += atOnce)
        {
            using var chunk = NewDisposeScope();
            var part = images.narrow(0, from, Math.Min(atOnce, images.shape[0] - from)).to(float32) / 127.5f - 1;
            var bands = Transform(part).to(float64);
            sum.add_(bands.sum([0, 2, 3]));
            squares.add_(bands.square().sum([0, 2, 3]));
            count += bands.numel() / Channels;
        }
        var mean = sum / count;
        var deviation = (squares / count - mean.square()).clamp_min(0).sqrt();
        _mean.copy_(mean);
        _scale.fill_((float)Math.Max(deviation.max().item<double>(), 1e-3));
    }

    /// <inheritdoc/>
    public Tensor Encode(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        return ((Transform(images) - At(_mean, images).view(1, -1, 1, 1)) / At(_scale, images)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Decode(Tensor latents)
    {
        ArgumentNullException.ThrowIfNull(latents);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var bands = latents * At(_scale, latents) + At(_mean, latents).view(1, -1, 1, 1);
        return functional.conv_transpose2d(bands, At(_kernel, latents), strides: [Block, Block], groups: Colours)
            .MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor ClampPixels(Tensor latents)
    {
        using var scope = NewDisposeScope();
        return Encode(Decode(latents).clamp(-1, 1)).MoveToOuterDisposeScope();
    }

    private Tensor Transform(Tensor images) =>
        functional.conv2d(images, At(_kernel, images), strides: [Block, Block], groups: Colours);

    // These few numbers stay on the processor, and follow what they work on.
    private static Tensor At(Tensor constant, Tensor place) =>
        constant.device_type == place.device_type ? constant : constant.to(place.device);

    // Rows of the Kronecker product of two one-dimensional bases, the same 16 for each colour: [48,1,4,4].
    private static Tensor Kernel()
    {
        double[,] haar = { { 0.5, 0.5, 0.5, 0.5 }, { 0.5, 0.5, -0.5, -0.5 }, { 0.5, -0.5, 0.5, -0.5 }, { 0.5, -0.5, -0.5, 0.5 } };
        var values = new float[Colours * Block * Block * Block * Block];
        var at = 0;
        for (var colour = 0; colour < Colours; colour++)
            for (var band = 0; band < Block * Block; band++)
                for (var y = 0; y < Block; y++)
                    for (var x = 0; x < Block; x++)
                        values[at++] = (float)(haar[band / Block, y] * haar[band % Block, x]);
        return tensor(values).view(Colours * Block * Block, 1, Block, Block);
    }
}
