using Siamorph.Acceleration;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Siamorph.Segmentation.Networks;

/// <summary>
/// The operations that the networks here are written in. Each computes at once; while a graph is being recorded on this
/// thread, each also notes itself there, so that a forward pass is its own exporter.
/// </summary>
internal static class Operators
{
    [ThreadStatic]
    private static IGraphRecorder? _recorder;

    /// <summary>Every operation until the result is disposed goes to the recorder as well.</summary>
    public static IDisposable RecordInto(IGraphRecorder recorder) => new Recording(recorder);

    /// <summary>Applies a layer; containers are walked, so that each of their layers is noted.</summary>
    /// <param name="layer">A layer or a container.</param>
    /// <param name="x">What it is applied to.</param>
    /// <param name="fused">A norm and the ReLU behind it may be one kernel, which rounds differently from libtorch's own.</param>
    public static Tensor Run(nn.Module<Tensor, Tensor> layer, Tensor x, bool fused = true)
    {
        switch (layer)
        {
            case Sequential chain:
                return RunChain([.. chain.children().Cast<nn.Module<Tensor, Tensor>>()], x, fused);
            case Conv2d m:
                return Note(m.forward(x), "Conv", [x, m.weight, m.bias],
                    Window(m.kernel_size, m.stride, m.padding ?? [0, 0], ("dilations", m.dilation), ("group", m.groups)));
            case Conv1d m:
                return Note(m.forward(x), "Conv", [x, m.weight, m.bias], ("kernel_shape", m.kernel_size), ("group", m.groups));
            case ConvTranspose2d m:
                return Note(m.forward(x), "ConvTranspose", [x, m.weight, m.bias],
                    Window(m.kernel_size, m.stride, m.padding ?? [0, 0], ("group", m.groups)));
            case BatchNorm2d m:
                return Note(m.forward(x), "BatchNormalization", [x, m.weight, m.bias, m.running_mean, m.running_var],
                    ("epsilon", m.eps));
            case LayerNorm m:
                return Note(m.forward(x), "LayerNormalization", [x, m.weight, m.bias], ("axis", -1L), ("epsilon", m.eps));
            case Linear m:
                return Linear(m, x);
            case ReLU:
                return Relu(x);
            case ReLU6:
                return Relu6(x);
            case MaxPool2d m:
                return Note(m.forward(x), "MaxPool", [x], Window(m.kernel_size, m.stride ?? m.kernel_size, m.padding ?? [0, 0]));
            case AvgPool2d m:
                return Note(m.forward(x), "AveragePool", [x],
                    Window(m.kernel_size, m.stride ?? m.kernel_size, m.padding
                        ?? [0, 0], ("ceil_mode", m.ceil_mode ? 1L : 0L), ("count_include_pad", m.count_include_pad ? 1L : 0L)));
            default:
                return layer.forward(x); // one of ours, written in these operations itself
        }
    }

    // A norm and the ReLU behind it are one kernel, except where a graph is recorded: there they are two operations.
    private static Tensor RunChain(nn.Module<Tensor, Tensor>[] parts, Tensor x, bool fused)
    {
        for (var i = 0; i < parts.Length; i++)
        {
            if (fused && _recorder is null && parts[i] is BatchNorm2d norm)
            {
                var relu = i + 1 < parts.Length && parts[i + 1] is ReLU;
                x = FastBatchNorm.Forward(norm, x, relu);
                if (relu) i++;
            }
            else x = Run(parts[i], x, fused);
        }
        return x;
    }

    public static Tensor Relu(Tensor x) => Note(nn.functional.relu(x), "Relu", [x]);

    public static Tensor Relu6(Tensor x) => Note(nn.functional.relu6(x), "Clip", [x, tensor(0f), tensor(6f)]);

    public static Tensor Gelu(Tensor x) => Note(nn.functional.gelu(x), "Gelu", [x]);

    public static Tensor Sigmoid(Tensor x) => Note(x.sigmoid(), "Sigmoid", [x]);

    public static Tensor Softmax(Tensor x, long axis) => Note(nn.functional.softmax(x, axis), "Softmax", [x], ("axis", axis));

    public static Tensor Add(Tensor a, Tensor b) => Note(a + b, "Add", [a, b]);

    public static Tensor Subtract(Tensor a, Tensor b) => Note(a - b, "Sub", [a, b]);

    public static Tensor Multiply(Tensor a, Tensor b) => Note(a * b, "Mul", [a, b]);

    /// <summary>factor · x + shift, with plain numbers or one for each channel.</summary>
    public static Tensor Affine(Tensor x, float[] factor, float[] shift)
    {
        using var scope = NewDisposeScope();
        var (f, s) = (tensor(factor, [factor.Length, 1, 1]).to(x.dtype, x.device),
            tensor(shift, [shift.Length, 1, 1]).to(x.dtype, x.device));
        return Add(Multiply(x, f), s).MoveToOuterDisposeScope();
    }

    public static Tensor MatMul(Tensor a, Tensor b) => Note(a.matmul(b), "MatMul", [a, b]);

    public static Tensor Concat(long axis, params Tensor[] parts) => Note(cat(parts, axis), "Concat", parts, ("axis", axis));

    public static Tensor Permute(Tensor x, params long[] order) => Note(x.permute(order), "Transpose", [x], ("perm", order));

    /// <summary>Another shape of the same values; the first dimension, the batch, stays.</summary>
    public static Tensor Reshape(Tensor x, params long[] rest) =>
        Note(x.reshape([x.shape[0], .. rest]), "Reshape", [x, (long[])[0, .. rest]]);

    public static Tensor Narrow(Tensor x, long axis, long first, long count) =>
        Note(x.narrow(axis, first, count), "Slice", [x, (long[])[first], (long[])[first + count], (long[])[axis]]);

    public static Tensor MeanOver(Tensor x, params long[] axes) =>
        Note(x.mean(axes, true), "ReduceMean", [x, axes], ("keepdims", 1L));

    public static Tensor MaxOver(Tensor x, params long[] axes) =>
        Note(x.amax(axes, true), "ReduceMax", [x, axes], ("keepdims", 1L));

    /// <summary>Zeros around a map.</summary>
    public static Tensor Pad(Tensor x, long left, long right, long top, long bottom) =>
        Note(nn.functional.pad(x, [left, right, top, bottom]), "Pad", [x, (long[])[0, 0, top, left, 0, 0, bottom, right]]);

    /// <summary>A map bilinearly scaled to a number of pixels.</summary>
    /// <param name="x">[B,C,H,W].</param>
    /// <param name="height">Rows of the result.</param>
    /// <param name="width">Columns of the result.</param>
    /// <param name="corners">Whether the centres of the corner pixels stay where they are (align_corners).</param>
    public static Tensor ScaleTo(Tensor x, long height, long width, bool corners) => x.shape[2] == height && x.shape[3] == width
        ? x
        : Note(
            nn.functional.interpolate(x, [height, width], mode: InterpolationMode.Bilinear, align_corners: corners), "Resize",
            [x, null, null, (long[])[height, width]], ("axes", (long[])[2, 3]), ("mode", "linear"),
            ("coordinate_transformation_mode", corners ? "align_corners" : "pytorch_half_pixel"));

    /// <inheritdoc cref="ScaleTo(Tensor, long, long, bool)"/>
    public static Tensor ScaleTo(Tensor x, Tensor like, bool corners) => ScaleTo(x, like.shape[2], like.shape[3], corners);

    /// <summary>A map scaled by taking the nearest pixel, as torch's "nearest" does.</summary>
    public static Tensor NearestTo(Tensor x, Tensor like) => (x.shape[2], x.shape[3]) == (like.shape[2], like.shape[3])
        ? x
        : Note(
            nn.functional.interpolate(x, [like.shape[2], like.shape[3]], mode: InterpolationMode.Nearest), "Resize",
            [x, null, null, (long[])[like.shape[2], like.shape[3]]], ("axes", (long[])[2, 3]), ("mode", "nearest"),
            ("coordinate_transformation_mode", "asymmetric"), ("nearest_mode", "floor"));

    /// <summary>Means over equal parts of a map, [B,C,H,W] → [B,C,height,width]; a product with two constant matrices.</summary>
    public static Tensor AverageTo(Tensor x, long height, long width)
    {
        using var scope = NewDisposeScope();
        var rows = PartMeans(x.shape[2], height).to(x.dtype, x.device);
        var columns = PartMeans(x.shape[3], width).t().contiguous().to(x.dtype, x.device);
        return MatMul(MatMul(rows, x), columns).MoveToOuterDisposeScope();
    }

    /// <summary>softmax(q kᵀ / √d) v for [B,heads,N,d].</summary>
    public static Tensor Attend(Tensor q, Tensor k, Tensor v)
    {
        if (_recorder is null) return nn.functional.scaled_dot_product_attention(q, k, v);
        using var scope = NewDisposeScope();
        var scale = (float)(1 / Math.Sqrt(q.shape[3]));
        var scores = Multiply(MatMul(q, Permute(k, 0, 1, 3, 2)), tensor(scale).to(q.dtype, q.device));
        return MatMul(Softmax(scores, -1), v).MoveToOuterDisposeScope();
    }

    /// <summary>Tells the recorder of an operation that was computed elsewhere.</summary>
    /// <param name="result">What came out.</param>
    /// <param name="operation">Its ONNX name.</param>
    /// <param name="inputs">Tensors, arrays of numbers, or null where an optional input is left out.</param>
    /// <param name="attributes">Its ONNX attributes: long, double, string or long[].</param>
    public static Tensor Note(Tensor result, string operation, object?[] inputs, params (string, object)[] attributes)
    {
        _recorder?.Add(operation, inputs, attributes, result);
        return result;
    }

    private static Tensor Linear(Linear m, Tensor x)
    {
        if (_recorder is null) return m.forward(x);
        using var scope = NewDisposeScope();
        var product = MatMul(x, Permute(m.weight!, 1, 0));
        return (m.bias is null ? product : Add(product, m.bias)).MoveToOuterDisposeScope();
    }

    private static (string, object)[] Window(long[] kernel, long[] stride, long[] padding, params (string, object)[] more) =>
        [("kernel_shape", kernel), ("strides", stride), ("pads", (long[])[.. padding, .. padding]), .. more];

    // Row i averages the i-th of `parts` stretches of `length` values; stretches overlap where they don't divide.
    private static Tensor PartMeans(long length, long parts)
    {
        var weights = new float[parts * length];
        for (var i = 0L; i < parts; i++)
        {
            var (first, last) = (i * length / parts, ((i + 1) * length + parts - 1) / parts);
            for (var k = first; k < last; k++) weights[i * length + k] = 1f / (last - first);
        }
        return tensor(weights, [parts, length]);
    }

    private sealed class Recording : IDisposable
    {
        public Recording(IGraphRecorder recorder) => _recorder = recorder;
        public void Dispose() => _recorder = null;
    }
}

/// <summary>Takes note of operations in the order in which they are computed.</summary>
internal interface IGraphRecorder
{
    /// <summary>One operation; see <see cref="Operators.Note"/>.</summary>
    void Add(string operation, object?[] inputs, (string Name, object Value)[] attributes, Tensor result);
}
