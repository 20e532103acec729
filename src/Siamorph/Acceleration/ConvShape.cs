namespace Siamorph.Acceleration;

/// <summary>The sizes of a convolution that keeps height and width.</summary>
internal readonly record struct ConvShape(int Samples, int Height, int Width, int InChannels, int OutChannels)
{
    /// <summary>Of all samples.</summary>
    public long Pixels => (long)Samples * Height * Width;
}
