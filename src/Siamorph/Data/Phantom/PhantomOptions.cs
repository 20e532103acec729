using Siamorph.Imaging;

namespace Siamorph.Data.Phantom;

/// <summary>What the built-in dataset is made of.</summary>
public sealed record PhantomOptions
{
    /// <summary>Number of pairs.</summary>
    public int Count { get; init; } = 400;

    /// <summary>Width and height in pixels, 16…4096 each.</summary>
    public ImageSize Size { get; init; } = new(64, 64);

    /// <summary>Seed of everything; image <c>i</c> depends on it, on <c>i</c> and on the size alone.</summary>
    public Seed Seed { get; init; } = new(1);

    /// <summary>How many of the endoscopes take part, 1…4.</summary>
    public int Devices { get; init; } = 3;

    /// <summary>Uses images of this endoscope only, 0…3, regardless of <see cref="Devices"/>; by default all take part.</summary>
    public int? OnlyDevice { get; init; }

    /// <summary>Images of one patient: they share device, mucosa and <see cref="ImageMaskPair.Group"/>.</summary>
    public int FramesPerCase { get; init; } = 4;

    /// <summary>Checks all options.</summary>
    /// <exception cref="InvalidOptionsException">Lists every fault.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        if (Count < 1) faults.Add($"count is {Count}; give 1 or more.");
        if (Size.Width is < 16 or > 4096 || Size.Height is < 16 or > 4096)
            faults.Add($"size is {Size}; give 16 to 4096 pixels each way.");
        if (Devices < 1 || Devices > PhantomDevice.Count) faults.Add($"devices is {Devices}; give 1 to {PhantomDevice.Count}.");
        if (OnlyDevice is { } only && (only < 0 || only >= PhantomDevice.Count))
            faults.Add($"onlyDevice is {only}; give 0 to {PhantomDevice.Count - 1}.");
        if (FramesPerCase < 1) faults.Add($"framesPerCase is {FramesPerCase}; give 1 or more.");
        if (faults.Count > 0) throw new InvalidOptionsException(faults);
    }
}
