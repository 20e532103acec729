using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Siamorph.Acceleration;

/// <summary>The layers of one attention.</summary>
/// <param name="Query">C → C, no bias.</param>
/// <param name="Key">D → C, no bias.</param>
/// <param name="Value">D → C, no bias.</param>
/// <param name="Output">C → C.</param>
/// <param name="Heads">Heads.</param>
internal sealed record AttentionLayers(Linear Query, Linear Key, Linear Value, Linear Output, int Heads);

/// <summary>
/// The layers of a transformer block: self-attention, attention to a context, gated feed-forward, each behind a norm.
/// </summary>
/// <param name="Norm1">Before self-attention.</param>
/// <param name="Self">Self-attention.</param>
/// <param name="Norm2">Before attention to the context.</param>
/// <param name="Context">Attention to the context.</param>
/// <param name="Norm3">Before the feed-forward.</param>
/// <param name="Gated">C → 8C: values, then gates.</param>
/// <param name="Back">4C → C.</param>
internal sealed record TransformerLayers(
    LayerNorm Norm1, AttentionLayers Self, LayerNorm Norm2, AttentionLayers Context, LayerNorm Norm3, Linear Gated, Linear Back);

/// <summary>
/// A transformer block for sampling: what lies between two attentions is done for a few tokens at a time, so that nothing
/// wider than the tokens ever leaves the cache; weights are packed once for the products.
/// </summary>
internal static unsafe class FastTransformer
{
    private const int LargestChunk = 1 << 16; // floats of the widest intermediate, 256 KB

    /// <summary>
    /// The block's result, or null where this path does not apply: gradients wanted, weights not frozen, other widths or devices.
    /// </summary>
    /// <param name="x">Tokens [B, N, C].</param>
    /// <param name="context">[k·B, L, D]: for k &gt; 1 the samples of x are taken k times over, but only from the first use of
    /// the context on.</param>
    /// <param name="layers">Whose weights.</param>
    /// <returns>[k·B, N, C].</returns>
    public static Tensor? TryForward(Tensor x, Tensor context, TransformerLayers layers)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(layers);
        var channels = (int)x.shape[2];
        if (FrozenWeights.Current is null || is_grad_enabled() || !KernelUse.Fits(x) || !KernelUse.Fits(context)
            || channels % 16 != 0) return null;
        if (context.dim() != 3 || context.shape[0] % x.shape[0] != 0 || !AreKnown(layers, channels, context.shape[2]))
            return null;
        if (Packed.Of(layers) is not { } packed) return null;
        using var noted = StepProfile.Of("transformer block with packed weights", 2 * x.numel());
        using var scope = NewDisposeScope();
        return new Block(layers, packed, channels).Run(x.contiguous(), context).MoveToOuterDisposeScope();
    }

    private static bool AreKnown(TransformerLayers l, long channels, long context)
    {
        var (wide, half) = (l.Gated.weight!.shape[0], l.Back.weight!.shape[1]);
        bool Plain(Linear layer) => layer.bias is null && KernelUse.Fits(layer, channels, channels);
        return Plain(l.Self.Query) && Plain(l.Self.Key) && Plain(l.Self.Value) && Plain(l.Context.Query)
            && KernelUse.Fits(l.Self.Output, channels, channels) && KernelUse.Fits(l.Context.Output, channels, channels)
            && KernelUse.Fits(l.Context.Key, context, channels) && KernelUse.Fits(l.Context.Value, context, channels)
            && wide == 2 * half && half % 16 == 0 && KernelUse.Fits(l.Gated, channels, wide)
            && KernelUse.Fits(l.Back, half, channels)
            && new[] { l.Norm1, l.Norm2, l.Norm3 }.All(n => KernelUse.Fits(n, channels));
    }

    private sealed record Packed(nint Query, nint Key, nint Value, nint Output, nint ContextQuery, nint ContextOutput,
        nint Gated, nint Back)
    {
        public static Packed? Of(TransformerLayers l)
        {
            Linear[] all = [l.Self.Query, l.Self.Key, l.Self.Value, l.Self.Output, l.Context.Query, l.Context.Output,
                l.Gated, l.Back];
            var data = all.Select(Of).ToArray();
            return data.Contains(0) ? null : new(data[0], data[1], data[2], data[3], data[4], data[5], data[6], data[7]);
        }

        private static nint Of(Linear layer)
        {
            var weight = layer.weight!;
            var (columns, rows) = ((int)weight.shape[0], (int)weight.shape[1]);
            var buffer = FrozenWeights.TryGet(weight,
                (nint)PackedMatrix.PanelsOf(columns) * PackedMatrix.PanelWidth * rows, made =>
            {
                using var dense = weight.contiguous();
                PackedMatrix.Pack(Pixels.Pointer(dense), 1, rows, rows, columns, made.Data);
            });
            return buffer is null ? 0 : (nint)buffer.Data;
        }
    }

    private sealed class Block(TransformerLayers layers, Packed packed, int channels)
    {
        public Tensor Run(Tensor x, Tensor context)
        {
            var (q, k, v) = (MapPool.EmptyLike(x), MapPool.EmptyLike(x), MapPool.EmptyLike(x));
            Project(x, layers.Norm1, (packed.Query, q), (packed.Key, k), (packed.Value, v));
            var attended = FastAttention.Forward(q, k, v, layers.Self.Heads);
            var tokens = x.clone();
            var query = MapPool.EmptyLike(x);
            AddAndProject(tokens, attended, layers.Self.Output, packed.Output, layers.Norm2, packed.ContextQuery, query);
            if (context.shape[0] > x.shape[0])
            {
                var times = context.shape[0] / x.shape[0];
                (tokens, query) = (tokens.repeat(times, 1, 1), query.repeat(times, 1, 1));
            }
            attended = FastAttention.Forward(query, layers.Context.Key.call(context), layers.Context.Value.call(context),
                layers.Context.Heads);
            Finish(tokens, attended);
            return tokens;
        }

        // target = norm(x)·weights, for each of the weights.
        private void Project(Tensor x, LayerNorm norm, params (nint Weights, Tensor Target)[] products)
        {
            var from = Pixels.Pointer(x);
            var targets = products.Select(p => (nint)Pixels.Pointer(p.Target)).ToArray();
            var parameters = Parameters(norm);
            InChunks(x, channels, (first, rows) =>
            {
                var normed = Scratch.Get(0, (nint)rows * channels);
                Normalise(parameters, from + first * channels, rows, normed);
                for (var i = 0; i < targets.Length; i++)
                    Gemm.Run(rows, normed, channels, (float*)products[i].Weights, channels, channels, (float*)targets[i]
                        + first * channels, channels, null, false);
            });
        }

        // tokens += output(attended); query = norm(tokens)·weights.
        private void AddAndProject(Tensor tokens, Tensor attended, Linear output, nint outputWeights, LayerNorm norm,
            nint weights, Tensor query)
        {
            float* to = Pixels.Pointer(tokens), from = Pixels.Pointer(attended), target = Pixels.Pointer(query),
            bias = Bias(output);
            var parameters = Parameters(norm);
            InChunks(tokens, channels, (first, rows) =>
            {
                var normed = Scratch.Get(0, (nint)rows * channels);
                var at = first * channels;
                Gemm.Run(rows, from + at, channels, (float*)outputWeights, channels, channels, to + at, channels, bias,
                    accumulate: true);
                Normalise(parameters, to + at, rows, normed);
                Gemm.Run(rows, normed, channels, (float*)weights, channels, channels, target + at, channels, null, false);
            });
        }

        // tokens += output(attended); tokens += feed-forward of norm(tokens).
        private void Finish(Tensor tokens, Tensor attended)
        {
            float* to = Pixels.Pointer(tokens), from = Pixels.Pointer(attended);
            float* bias = Bias(layers.Context.Output), gatedBias = Bias(layers.Gated), backBias = Bias(layers.Back);
            var parameters = Parameters(layers.Norm3);
            var (wide, half) = ((int)layers.Gated.weight!.shape[0], (int)layers.Back.weight!.shape[1]);
            InChunks(tokens, wide, (first, rows) =>
            {
                var normed = Scratch.Get(0, (nint)rows * channels);
                var gated = Scratch.Get(1, (nint)rows * wide);
                var products = Scratch.Get(2, (nint)rows * half);
                var at = to + first * channels;
                Gemm.Run(rows, from + first * channels, channels, (float*)packed.ContextOutput, channels, channels, at, channels,
                    bias, accumulate: true);
                Normalise(parameters, at, rows, normed);
                Gemm.Run(rows, normed, channels, (float*)packed.Gated, channels, wide, gated, wide, gatedBias, false);
                FastGatedUnit.Multiply(gated, products, half, 0, rows);
                Gemm.Run(rows, products, half, (float*)packed.Back, half, channels, at, channels, backBias, accumulate: true);
            });
        }

        private static void InChunks(Tensor tokens, int widest, Action<nint, int> body)
        {
            var rows = tokens.shape[0] * tokens.shape[1];
            var chunk = Math.Clamp(LargestChunk / widest / 6 * 6, 12, 96);
            Workers.For((int)((rows + chunk - 1) / chunk),
                task => body((nint)task * chunk, (int)Math.Min(chunk, rows - (long)task * chunk)));
        }

        private readonly record struct NormParameters(nint Weight, nint Bias, double Epsilon);

        private static NormParameters Parameters(LayerNorm norm) =>
            new((nint)Pixels.Pointer(norm.weight!), (nint)Pixels.Pointer(norm.bias!), norm.eps);

        private static float* Bias(Linear layer) => layer.bias is { } bias ? Pixels.Pointer(bias) : null;

        private void Normalise(NormParameters norm, float* x, int rows, float* y)
        {
            for (var r = 0; r < rows; r++)
                NormaliseRow((float*)norm.Weight, (float*)norm.Bias, norm.Epsilon, x + (nint)r * channels, channels, y
                    + (nint)r * channels);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void NormaliseRow(float* weight, float* bias, double epsilon, float* x, int channels, float* y)
    {
        var total = Vector256<float>.Zero;
        for (var c = 0; c < channels; c += 8) total += Vector256.Load(x + c);
        var mean = Vector256.Create(Vector256.Sum(total) / channels);
        var squares = Vector256<float>.Zero;
        for (var c = 0; c < channels; c += 8)
        {
            var difference = Vector256.Load(x + c) - mean;
            squares = Fma.MultiplyAdd(difference, difference, squares);
        }
        var reciprocal = Vector256.Create((float)(1 / Math.Sqrt(Vector256.Sum(squares) / channels + epsilon)));
        for (var c = 0; c < channels; c += 8)
            Fma.MultiplyAdd((Vector256.Load(x + c) - mean) * reciprocal, Vector256.Load(weight + c), Vector256.Load(bias + c))
                .Store(y + c);
    }
}
