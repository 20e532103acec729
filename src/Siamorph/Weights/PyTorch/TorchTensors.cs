using static TorchSharp.torch;

namespace Siamorph.Weights.PyTorch;

/// <summary>The bytes behind one or more tensors of a PyTorch file.</summary>
/// <param name="Key">Its name within the file.</param>
/// <param name="DType">Element type.</param>
/// <param name="Elements">Number of elements, as the pickle claims.</param>
internal sealed record TorchStorage(string Key, ScalarType DType, long Elements)
{
    public long Bytes => Elements * SafeTensors.ElementSize(DType);
}

/// <summary>A tensor of a PyTorch file: a view of a storage, its extent checked.</summary>
/// <param name="Storage">Where its elements are.</param>
/// <param name="Offset">First element within the storage.</param>
/// <param name="Shape">Sizes.</param>
/// <param name="Strides">Elements from one index to the next, for each dimension.</param>
internal sealed record TorchTensor(TorchStorage Storage, long Offset, long[] Shape, long[] Strides)
{
    private const int MostDimensions = 64;

    /// <summary>Elements from the first to the last that it reaches, both counted.</summary>
    public long Span { get; } = SpanOf(Shape, Strides);

    public bool IsContiguous
    {
        get
        {
            var expected = 1L;
            for (var i = Shape.Length - 1; i >= 0; i--)
            {
                if (Shape[i] != 1 && Strides[i] != expected) return Span == 0;
                expected *= Shape[i];
            }
            return true;
        }
    }

    /// <summary>Null, or what is impossible about it.</summary>
    public string? Fault()
    {
        if (Shape.Length != Strides.Length || Shape.Length > MostDimensions)
            return "has sizes and strides that don't belong together";
        if (Shape.Any(d => d < 0) || Strides.Any(s => s < 0) || Offset < 0) return "has a negative size, stride or offset";
        if (Span < 0 || Span > Storage.Elements - Offset)
            return $"of shape [{string.Join(",", Shape)}] reaches beyond its storage of {Storage.Elements} elements";
        return Span > 0 && OverlapsItself() ? "has elements that share a place, in a way that no saved tensor has" : null;
    }

    // Sorted by stride, each dimension must begin behind the extent of those before it. A repeated (stride 0) dimension is
    // let pass where the rest fills the storage, so that a damaged stride is found.
    private bool OverlapsItself()
    {
        var dimensions = Shape.Zip(Strides).Where(d => d.First > 1).OrderBy(d => d.Second).ToList();
        var reach = 1L;
        foreach (var (size, stride) in dimensions.Where(d => d.Second > 0))
        {
            if (stride < reach) return true;
            reach = stride * (size - 1) + reach;
        }
        return dimensions.Any(d => d.Second == 0) && reach != Storage.Elements;
    }

    private static long SpanOf(long[] shape, long[] strides)
    {
        if (shape.Length != strides.Length || shape.Any(d => d < 0) || strides.Any(s => s < 0)) return -1;
        if (shape.Contains(0)) return 0;
        try
        {
            var elements = 1L;
            var last = 0L;
            for (var i = 0; i < shape.Length; i++)
            {
                elements = checked(elements * shape[i]);
                last = checked(last + (shape[i] - 1) * strides[i]);
            }
            return checked(last + 1);
        }
        catch (OverflowException)
        {
            return -1;
        }
    }
}
