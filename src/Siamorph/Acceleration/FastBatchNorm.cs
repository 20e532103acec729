using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Siamorph.Acceleration;

/// <summary>
/// Batch normalisation with or without ReLU behind it over channels-last images: each is read and written once where
/// libtorch does it several times; the ordinary operations where the kernel does not apply. Results come channels-last.
/// </summary>
internal static class FastBatchNorm
{
    /// <summary>
    /// Normalises <paramref name="x"/> [B, C, H, W] as <paramref name="norm"/> does, running statistics included, then cuts off
    /// at 0 if asked.
    /// </summary>
    /// <returns>[B, C, H, W].</returns>
    public static Tensor Forward(BatchNorm2d norm, Tensor x, bool relu)
    {
        ArgumentNullException.ThrowIfNull(norm);
        ArgumentNullException.ThrowIfNull(x);
        if (Applies(norm, x) && norm.training) return Function.apply(x, norm.weight, norm.bias, norm, relu);
        if (Applies(norm, x) && !is_grad_enabled()) return Evaluate(norm, x, relu);
        var y = norm.call(x);
        return relu ? nn.functional.relu(y) : y;
    }

    // Other memory orders stay with libtorch: what follows would meet another one than it is used to.
    private static bool Applies(BatchNorm2d norm, Tensor x) =>
        KernelUse.Fits(x) && x.dim() == 4 && x.shape[1] % 8 == 0 && x.shape[0] * x.shape[2] * x.shape[3] > 1
        && norm is { track_running_stats: true, momentum: not null }
        && new[] { norm.weight, norm.bias, norm.running_mean, norm.running_var }.All(t => t is not null
        && KernelUse.FitsRow(t, x.shape[1])) && IsPixelByPixel(x);

    private static bool IsPixelByPixel(Tensor x)
    {
        using var rows = x.permute(0, 2, 3, 1);
        return rows.is_contiguous();
    }

    private static unsafe Tensor Evaluate(BatchNorm2d norm, Tensor x, bool relu)
    {
        using var noted = StepProfile.Of("batch norm and ReLU, forward", 2 * x.numel());
        using var scope = NewDisposeScope();
        var rows = Pixels.Rows(x);
        var (y, line) = (MapPool.EmptyLike(rows), empty(2, rows.shape[3]));
        var channels = (int)rows.shape[3];
        float* mean = Pixels.Pointer(norm.running_mean!), variance = Pixels.Pointer(norm.running_var!),
            scale = Pixels.Pointer(line), shift = scale + channels;
        for (var c = 0; c < channels; c++) Line(norm, c, mean[c], 1 / Math.Sqrt(variance[c] + norm.eps), scale, shift);
        float* from = Pixels.Pointer(rows), to = Pixels.Pointer(y);
        Each(rows, (_, first, pixels) => BatchNormKernel.Apply(from + first, pixels, channels, scale, shift, relu, to + first));
        return Pixels.Named(y).MoveToOuterDisposeScope();
    }

    private static unsafe void Line(BatchNorm2d norm, int c, double mean, double reciprocal, float* scale, float* shift)
    {
        var slope = Pixels.Pointer(norm.weight!)[c] * reciprocal;
        (scale[c], shift[c]) = ((float)slope, (float)(Pixels.Pointer(norm.bias!)[c] - mean * slope));
    }

    private const int WorthSharing = 1 << 16; // floats; below, a second thread comes too late

    private delegate void PartOfPicture(int part, nint first, int pixels);

    // The image in parts: their number, where their floats begin, and how many pixels they have.
    private static void Each(Tensor rows, PartOfPicture body)
    {
        var (pixels, channels) = ((int)(rows.numel() / rows.shape[3]), (int)rows.shape[3]);
        var part = BatchNormKernel.PartOf(channels);
        void Part(int i) => body(i, (nint)i * part * channels, Math.Min(part, pixels - i * part));
        if (rows.numel() >= WorthSharing) Workers.For(PartsOf(rows), Part);
        else for (var i = 0; i < PartsOf(rows); i++) Part(i);
    }

    private static int PartsOf(Tensor rows)
    {
        var (pixels, part) = ((int)(rows.numel() / rows.shape[3]), BatchNormKernel.PartOf((int)rows.shape[3]));
        return (pixels + part - 1) / part;
    }

    private sealed class Function : Differentiable<Function>
    {
        public override string Name => nameof(FastBatchNorm);

        public override unsafe Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            Tensor x = (Tensor)vars[0], weight = (Tensor)vars[1], bias = (Tensor)vars[2];
            var (norm, relu) = ((BatchNorm2d)vars[3], (bool)vars[4]);
            using var noted = StepProfile.Of("batch norm and ReLU, forward", 2 * x.numel());
            using var scope = NewDisposeScope();
            var rows = Pixels.Rows(x);
            var channels = (int)rows.shape[3];
            var (y, statistics) = (MapPool.EmptyLike(rows), empty(4, channels)); // scale, shift, mean, 1 / deviation
            float* from = Pixels.Pointer(rows), to = Pixels.Pointer(y), scale = Pixels.Pointer(statistics),
            shift = scale + channels;
            Statistics(norm, rows, scale, shift, shift + channels, shift + 2 * channels);
            Each(rows, (_, first, pixels) =>
                BatchNormKernel.Apply(from + first, pixels, channels, scale, shift, relu, to + first));
            ctx.save_for_backward([Pixels.Named(rows).MoveToOuterDisposeScope(), statistics.MoveToOuterDisposeScope()]);
            ctx.save_data("options", (relu, x.requires_grad, weight.requires_grad, bias.requires_grad));
            return Pixels.Named(y).MoveToOuterDisposeScope();
        }

        // Means and variances of the parts are joined in double precision (Chan, Golub and LeVeque 1979).
        private static unsafe void Statistics(
            BatchNorm2d norm, Tensor rows, float* scale, float* shift, float* means, float* reciprocals)
        {
            var channels = (int)rows.shape[3];
            var (count, part) = (rows.numel() / channels, BatchNormKernel.PartOf(channels));
            using var parts = empty(PartsOf(rows), 2, channels);
            float* from = Pixels.Pointer(rows), moments = Pixels.Pointer(parts);
            Each(rows, (i, first, pixels) =>
                BatchNormKernel.Moments(from + first, pixels, channels, moments + (nint)i * 2 * channels, moments
                + ((nint)i * 2 + 1) * channels));
            float* runningMean = Pixels.Pointer(norm.running_mean!), runningVariance = Pixels.Pointer(norm.running_var!);
            var momentum = norm.momentum!.Value;
            for (var c = 0; c < channels; c++)
            {
                double mean = 0, squares = 0, before = 0;
                for (var i = 0; before < count; i++)
                {
                    double more = Math.Min(part, count - before), distance = moments[(nint)i * 2 * channels + c] - mean;
                    mean += distance * more / (before + more);
                    squares += moments[((nint)i * 2 + 1) * channels + c] + distance * distance * before * more / (before + more);
                    before += more;
                }
                var reciprocal = 1 / Math.Sqrt(squares / count + norm.eps);
                (means[c], reciprocals[c]) = ((float)mean, (float)reciprocal);
                Line(norm, c, mean, reciprocal, scale, shift);
                runningMean[c] = (float)((1 - momentum) * runningMean[c] + momentum * mean);
                runningVariance[c] = (float)((1 - momentum) * runningVariance[c] + momentum * squares / (count - 1));
            }
            norm.num_batches_tracked?.add_(1);
        }

        protected override unsafe IEnumerable<Tensor?> Gradients(autograd.AutogradContext ctx, Tensor gradient)
        {
            var (relu, needsInput, needsWeight, needsBias) = ((bool, bool, bool, bool))ctx.get_data("options");
            var saved = ctx.get_saved_variables();
            using var noted = StepProfile.Of("batch norm and ReLU, backward", 3 * saved[0].numel());
            var (rows, dy) = (Pixels.Rows(saved[0]), Pixels.Rows(gradient));
            var channels = (int)rows.shape[3];
            var (parts, total, line) = (empty(PartsOf(rows), 2, channels), empty(2, channels), empty(2, channels));
            float* from = Pixels.Pointer(rows), incoming = Pixels.Pointer(dy), scale = Pixels.Pointer(saved[1]), shift = scale
                + channels, mean = shift + channels;
            float* sums = Pixels.Pointer(parts), slope = Pixels.Pointer(line), level = slope + channels;
            Each(rows, (i, first, pixels) =>
                BatchNormKernel.GradientSums(from + first, incoming + first, pixels, channels, scale, shift, mean, relu,
                sums + (nint)i * 2 * channels, sums + ((nint)i * 2 + 1) * channels));
            Join(rows, sums, scale, mean + channels, Pixels.Pointer(total), slope, level);
            var dx = needsInput ? MapPool.EmptyLike(rows) : null;
            if (dx is not null)
            {
                var to = Pixels.Pointer(dx);
                Each(rows, (_, first, pixels) =>
                    BatchNormKernel.Gradient(from + first, incoming + first, pixels, channels, scale, shift, mean, slope, level,
                    relu, to + first));
            }
            return
            [
                dx is null ? null : Pixels.Named(dx),
                needsWeight ? total[0].clone() : null,
                needsBias ? total[1].clone() : null,
                null, null,
            ];
        }

        // Of weight and bias, and what the gradient of x takes off for mean and variance being functions of x.
        private static unsafe void Join(
            Tensor rows, float* sums, float* scale, float* reciprocals, float* total, float* slope, float* level)
        {
            var (channels, parts) = ((int)rows.shape[3], PartsOf(rows));
            double count = rows.numel() / channels;
            for (var c = 0; c < channels; c++)
            {
                double sum = 0, product = 0;
                for (var i = 0; i < parts; i++)
                {
                    sum += sums[(nint)i * 2 * channels + c];
                    product += sums[((nint)i * 2 + 1) * channels + c];
                }
                double r = reciprocals[c];
                (total[c], total[channels + c]) = ((float)(product * r), (float)sum);
                (slope[c], level[c]) = ((float)(-scale[c] * r * r * product / count), (float)(-scale[c] * sum / count));
            }
        }
    }
}
