using Siamorph.Imaging;

namespace Siamorph.Data;

/// <summary>What the built-in data set is made of.</summary>
public sealed record PhantomOptions
{
    /// <summary>Number of pairs.</summary>
    public int Count { get; init; } = 400;

    /// <summary>Width in pixels, at least 16.</summary>
    public int Width { get; init; } = 64;

    /// <summary>Height in pixels, at least 16.</summary>
    public int Height { get; init; } = 64;

    /// <summary>Seed of everything; image <c>i</c> depends on it, on <c>i</c> and on the size alone.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>How many of the endoscopes take part, 1…<see cref="PhantomDevice.Count"/>.</summary>
    public int Devices { get; init; } = 3;

    /// <summary>Images of one patient: they share device, mucosa and <see cref="ImageMaskPair.Group"/>.</summary>
    public int FramesPerCase { get; init; } = 4;

    /// <summary>Width and height.</summary>
    internal ImageSize Size => new(Width, Height);

    /// <summary>Checks all options.</summary>
    /// <exception cref="InvalidOptionsException">Lists every fault.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        if (Count < 1) faults.Add($"count is {Count}; give 1 or more.");
        if (Width is < 16 or > 4096 || Height is < 16 or > 4096) faults.Add($"width and height are {Size}; give 16 to 4096 each.");
        if (Devices < 1 || Devices > PhantomDevice.Count) faults.Add($"devices is {Devices}; give 1 to {PhantomDevice.Count}.");
        if (FramesPerCase < 1) faults.Add($"framesPerCase is {FramesPerCase}; give 1 or more.");
        if (faults.Count > 0) throw new InvalidOptionsException(faults);
    }
}
