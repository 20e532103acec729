using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Siamorph.Models.Codecs;

/// <summary>
/// A small autoencoder for the latent of FLUX.2 (TAEF2 of Ollin Boer Bohan's taesd): 32 channels, factor 8, so that 128 × 128
/// pixels cost the UNet what 64 × 64 cost it with <see cref="HaarCodec"/>. It stays as it was trained; no gradient passes.
/// </summary>
internal sealed class TinyAutoencoder : Module, ILatentCodec
{
    /// <summary>Pixels of an image to one of the latent, along each side.</summary>
    internal const int Downsampling = 8;

    private const int Width = 64, LatentChannels = 32, PoolWidth = 4 * Width, PoolGroups = 4;
    private readonly Module<Tensor, Tensor> encoder;
    private readonly Module<Tensor, Tensor> decoder;

    /// <summary>Builds the network with libtorch's own initial weights, for weights that are loaded next.</summary>
    public TinyAutoencoder() : base(nameof(TinyAutoencoder))
    {
        encoder = Sequential(Numbered([
            Convolution(3, Width), new Block(false),
            Convolution(Width, Width, stride: 2, bias: false), new Block(false), new Block(false), new Block(false),
            Convolution(Width, Width, stride: 2, bias: false), new Block(false), new Block(false), new Block(false),
            Convolution(Width, Width, stride: 2, bias: false), new Block(true), new Block(true), new Block(true),
            Convolution(Width, LatentChannels)]));
        decoder = Sequential(Numbered([
            new SoftClamp(), Convolution(LatentChannels, Width), ReLU(),
            new Block(true), new Block(true), new Block(true), Twice(), Convolution(Width, Width, bias: false),
            new Block(false), new Block(false), new Block(false), Twice(), Convolution(Width, Width, bias: false),
            new Block(false), new Block(false), new Block(false), Twice(), Convolution(Width, Width, bias: false),
            new Block(false), Convolution(Width, 3)]));
        RegisterComponents();
    }

    /// <inheritdoc/>
    public int Factor => Downsampling;

    /// <inheritdoc/>
    public int Channels => LatentChannels;

    /// <inheritdoc/>
    public bool IsPretrained => true;

    /// <inheritdoc/>
    public void Fit(Tensor images) { } // its latents are of about unit size as they come

    /// <inheritdoc/>
    public Tensor Moments(Tensor images) => Encode(images);

    /// <inheritdoc/>
    public Tensor Latent(Tensor moments, Tensor? noise = null)
    {
        ArgumentNullException.ThrowIfNull(moments);
        return moments.alias();
    }

    /// <inheritdoc/>
    public Tensor Encode(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        return encoder.call(images / 2 + 0.5f).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Decode(Tensor latents)
    {
        ArgumentNullException.ThrowIfNull(latents);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        return (decoder.call(latents) * 2 - 1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor ClampPixels(Tensor latents)
    {
        ArgumentNullException.ThrowIfNull(latents);
        return latents.alias();
    }

    private static (string, Module<Tensor, Tensor>)[] Numbered(Module<Tensor, Tensor>[] parts) =>
        [.. parts.Select((p, i) => (i.ToString(System.Globalization.CultureInfo.InvariantCulture), p))];

    private static Module<Tensor, Tensor> Twice() => Upsample(scale_factor: [2, 2]);

    private static Module<Tensor, Tensor> Convolution(int from, int to, int stride = 1, bool bias = true) =>
        NewLayer.Conv2d(from, to, 3, stride, 1, bias);

    private sealed class SoftClamp() : Module<Tensor, Tensor>(nameof(SoftClamp))
    {
        public override Tensor forward(Tensor input) => (input / 3).tanh() * 3;
    }

    // Next to the latent a block first adds what groups of channels say together.
    private sealed class Block : Module<Tensor, Tensor>
    {
        private readonly Module<Tensor, Tensor> conv;
        private readonly Module<Tensor, Tensor>? pool;

        public Block(bool pooled) : base(nameof(Block))
        {
            conv = Sequential(Numbered([Convolution(Width, Width), ReLU(), Convolution(Width, Width), ReLU(),
                Convolution(Width, Width)]));
            if (pooled) pool = Pool();
            RegisterComponents();
        }

        private static Module<Tensor, Tensor> Pool()
        {
            var norm = NewLayer.GroupNorm(PoolGroups, PoolWidth);
            init.ones_(norm.weight); // TorchSharp leaves them as the memory was
            init.zeros_(norm.bias);
            return Sequential(Numbered([NewLayer.Conv2d(Width, PoolWidth, 1, hasBias: false), norm, ReLU(),
                NewLayer.Conv2d(PoolWidth, Width, 1, hasBias: false)]));
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var x = pool is null ? input : input + pool.call(input);
            return (conv.call(x) + x).relu().MoveToOuterDisposeScope();
        }
    }
}
