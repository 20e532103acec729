using Siamorph.Imaging;
using static TorchSharp.torch;

namespace Siamorph.Data;

/// <summary>How batches are drawn.</summary>
internal sealed record BatchOptions
{
    /// <summary>Pairs in a batch.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Mirrors half of the pairs left to right, image and mask together.</summary>
    public bool HorizontalFlip { get; init; } = true;

    /// <summary>Mirrors half of the pairs top to bottom, image and mask together.</summary>
    public bool VerticalFlip { get; init; }

    /// <summary>Share of pairs whose prompt is replaced by the empty one, in [0,1].</summary>
    public double EmptyPromptProbability { get; init; } = 0.05;

    /// <summary>Checks all options.</summary>
    /// <exception cref="InvalidOptionsException">Lists every fault.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        if (BatchSize < 1) faults.Add($"batchSize is {BatchSize}; give 1 or more.");
        if (EmptyPromptProbability is not (>= 0 and <= 1))
            faults.Add(FormattableString.Invariant($"emptyPromptProbability is {EmptyPromptProbability}; give 0 to 1."));
        if (faults.Count > 0) throw new InvalidOptionsException(faults);
    }
}

/// <summary>Pairs as a network takes them.</summary>
/// <param name="Images">float32 [B,3,H,W] in [-1,1].</param>
/// <param name="Masks">float32 [B,1,H,W], 0 or 1 (soft labels: in [0,1]); of several classes [B,3,H,W], their colours in [0,1],
/// see <see cref="MaskHint"/>.</param>
/// <param name="Prompts">B prompts, some replaced by "".</param>
/// <param name="Indices">Which pairs of the dataset these are.</param>
internal sealed record PairBatch(Tensor Images, Tensor Masks, IReadOnlyList<string> Prompts, IReadOnlyList<int> Indices)
    : IDisposable
{
    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        Images.Dispose();
        Masks.Dispose();
    }
}

/// <summary>
/// Draws batches: every epoch is a new permutation of all pairs, and a batch may reach over the end of one, so that each
/// is full. A batch depends on seed and step alone, never on those drawn before. For use by one thread at a time.
/// </summary>
/// <param name="data">What is drawn from; stays the caller's.</param>
/// <param name="options">How it is drawn.</param>
/// <param name="seed">Seed of order, flips and prompts.</param>
internal sealed class BatchLoader(PairedDataset data, BatchOptions options, Seed seed)
{
    private readonly Dictionary<long, int[]> _orders = []; // the current epoch's permutation and the next one's

    /// <summary>The batch of a training step; the caller disposes it.</summary>
    /// <param name="step">From 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The step is negative.</exception>
    public PairBatch Batch(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        options.Validate();
        var (batch, area) = (options.BatchSize, data.Size.Width * data.Size.Height);
        var tables = MaskHint.HasColours(data.Classes) ? Enumerable.Range(0, 3).Select(c => MaskHint.Table(data.Classes!, c))
            .ToArray() : [data.SoftMasks is null ? LabelToUnit : LevelToShare];
        var labels = data.SoftMasks ?? data.Masks;
        var (images, masks) = (new float[3 * area * batch], new float[tables.Length * area * batch]);
        var (prompts, indices) = (new string[batch], new int[batch]);
        using var scope = NewDisposeScope();
        for (var b = 0; b < batch; b++)
        {
            var position = step * batch + b;
            var index = indices[b] = Index(position);
            var random = seed.Derive("augmentation").Derive(position).Random();
            var mirror = random.NextDouble() < 0.5 && options.HorizontalFlip;
            var upend = random.NextDouble() < 0.5 && options.VerticalFlip;
            prompts[b] = random.NextDouble() < options.EmptyPromptProbability ? "" : data.Pairs[index].Prompt;
            for (var c = 0; c < 3; c++)
                Copy(data.Images[index].bytes.Slice(c * area, area), images.AsSpan((3 * b + c) * area, area), mirror, upend,
                    LevelToUnit);
            for (var c = 0; c < tables.Length; c++)
                Copy(labels[index].bytes, masks.AsSpan((tables.Length * b + c) * area, area), mirror, upend, tables[c]);
        }
        return new PairBatch(
            tensor(images, [batch, 3, data.Size.Height, data.Size.Width]).MoveToOuterDisposeScope(),
            tensor(masks, [batch, tables.Length, data.Size.Height, data.Size.Width]).MoveToOuterDisposeScope(), prompts, indices);
    }

    private static readonly float[] LevelToUnit = [.. Enumerable.Range(0, 256).Select(l => ImageTensor.ToUnit((byte)l))];
    private static readonly float[] LevelToShare = [.. Enumerable.Range(0, 256).Select(l => l / 255f)];
    private static readonly float[] LabelToUnit = [.. Enumerable.Range(0, 256).Select(l => l == 0 ? 0f : 1f)];

    private int Index(long position)
    {
        var (epoch, place) = (position / data.Count, (int)(position % data.Count));
        if (!_orders.TryGetValue(epoch, out var order))
        {
            foreach (var old in _orders.Keys.Where(e => e < epoch - 1 || e > epoch + 1).ToList()) _orders.Remove(old);
            _orders[epoch] = order = seed.Derive("order").Derive(epoch).Random().Permutation(data.Count);
        }
        return order[place];
    }

    private void Copy(ReadOnlySpan<byte> from, Span<float> to, bool mirror, bool upend, float[] table)
    {
        var (width, height) = (data.Size.Width, data.Size.Height);
        for (var y = 0; y < height; y++)
        {
            var source = from.Slice((upend ? height - 1 - y : y) * width, width);
            var target = to.Slice(y * width, width);
            for (var x = 0; x < width; x++) target[x] = table[source[mirror ? width - 1 - x : x]];
        }
    }
}
