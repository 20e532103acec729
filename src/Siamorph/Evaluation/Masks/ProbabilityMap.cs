using Siamorph.Imaging;

namespace Siamorph.Evaluation.Masks;

/// <summary>A prediction in 8 bits, as the field's protocols store and score it: level = probability · 255, rounded.</summary>
public sealed class ProbabilityMap
{
    /// <summary>Wraps <paramref name="levels"/>, which has width · height bytes.</summary>
    /// <exception cref="ArgumentException">The length does not fit the size.</exception>
    public ProbabilityMap(ImageSize size, byte[] levels)
    {
        ArgumentNullException.ThrowIfNull(levels);
        if (levels.Length != size.Width * size.Height)
            throw new ArgumentException($"{levels.Length} bytes do not make a map of {size}.", nameof(levels));
        (Size, Levels) = (size, levels);
    }

    /// <summary>Width and height.</summary>
    public ImageSize Size { get; }

    /// <summary>The levels themselves: y · width + x; 255 is certain foreground.</summary>
    public byte[] Levels { get; }

    /// <summary>Rounds probabilities in [0,1], row by row; a half is foreground (level 128).</summary>
    /// <exception cref="ArgumentException">The count does not fit the size.</exception>
    public static ProbabilityMap FromProbabilities(ImageSize size, ReadOnlySpan<float> probabilities)
    {
        var levels = new byte[probabilities.Length];
        for (var i = 0; i < levels.Length; i++)
            levels[i] = (byte)Math.Clamp(MathF.Round(probabilities[i] * 255, MidpointRounding.ToEven), 0, 255);
        return new(size, levels);
    }

    /// <summary>A mask as a map: 0 and 255.</summary>
    public static ProbabilityMap FromMask(LabelMap mask)
    {
        ArgumentNullException.ThrowIfNull(mask);
        return new(mask.Size, Array.ConvertAll(mask.Labels, label => label == 0 ? (byte)0 : (byte)255));
    }

    /// <summary>The decision at probability 0.5: levels of 128 and above.</summary>
    public LabelMap ToMask() => new(Size, Array.ConvertAll(Levels, level => level >= 128 ? (byte)1 : (byte)0));
}
