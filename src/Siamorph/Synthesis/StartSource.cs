using System.Collections.Concurrent;
using Siamorph.Data;
using Siamorph.Imaging;

namespace Siamorph.Synthesis;

/// <summary>
/// What each synthetic image starts from: a function of mask number and seed. Hosts and donors are among the given pairs, and
/// of two patients where patients are known.
/// </summary>
internal sealed class StartSource
{
    private const int Kept = 512; // images in memory
    private readonly IReadOnlyList<ImageMaskPair> _pairs;
    private readonly MaskSource _masks;
    private readonly SynthesisOptions _options;
    private readonly ImageSize _size;
    private readonly int[] _byId; // so that the order of the pairs decides nothing
    private readonly ConcurrentDictionary<int, RgbImage> _images = new();

    /// <param name="pairs">What to draw from.</param>
    /// <param name="size">The model's.</param>
    /// <param name="options">Where images start.</param>
    /// <param name="labels">How masks are read.</param>
    /// <param name="drawn">Masks that have no file, in the order of the pairs; null for none.</param>
    /// <exception cref="InvalidDatasetException">The start needs images, or several patients, and there are none.</exception>
    public StartSource(
        IReadOnlyList<ImageMaskPair> pairs, ImageSize size, SynthesisOptions options, LabelReading labels,
        IReadOnlyList<LabelMap>? drawn = null)
    {
        (_pairs, _size, _options) = (pairs, size, options);
        _masks = new(pairs, size, options.Deformation, labels) { Drawn = drawn };
        _byId = [.. Enumerable.Range(0, pairs.Count).OrderBy(i => pairs[i].Id, StringComparer.Ordinal)];
        if (options.NeedsImages && pairs.FirstOrDefault(p => p.ImagePath == p.MaskPath || p.ImagePath.Length == 0) is { } bare)
            throw new InvalidDatasetException(
                $"{bare.MaskPath}: this mask has no image, which {options.WhyImages} needs. Give a folder of image-mask pairs, "
                    + $"or start from noise.");
        if (options.Start is SampleStart.Paste or SampleStart.Inpaint
            && !Enumerable.Range(0, pairs.Count).All(i => Others(i).Any()))
            throw new InvalidDatasetException(
                $"start {options.Start.ToString().ToLowerInvariant()} combines images of two patients, but there is only "
                    + $"{(pairs.Count == 1 ? "one pair" : "one patient")}. Give more pairs.");
    }

    /// <summary>Whether masks hold probabilities.</summary>
    public bool IsSoft => _masks.IsSoft;

    /// <summary>What one synthetic image starts from.</summary>
    public StartImage Of(int index, Seed seed) => _options.Start switch
    {
        SampleStart.Real => Real(index, seed),
        SampleStart.Paste => Paste(index, seed),
        SampleStart.Inpaint => Inpaint(index, seed),
        _ => Noise(index, seed),
    };

    // The second hint shows the mask's own image, moved as the mask is.
    private StartImage Noise(int index, Seed seed)
    {
        if (_options.ImageWeight > 0) return Real(index, seed);
        var (mask, description) = _masks.Of(index, seed);
        return new(mask, description);
    }

    private StartImage Real(int index, Seed seed)
    {
        var (image, mask, description) = MaskDeformation.Apply(Image(index), _masks.Read(index), _options.Deformation, seed);
        return new(mask, description) { Image = image, Host = _pairs[index].Id };
    }

    private StartImage Paste(int index, Seed seed)
    {
        for (var attempt = 0; attempt < 4; attempt++)
        {
            var donor = Other(index, seed.Derive("donor").Derive(attempt));
            var joined = LesionPaste.Apply((Image(index), _masks.Read(index)), (Image(donor), _masks.Read(donor)),
                _options.Deformation, seed.Derive(attempt));
            if (joined is { } pasted)
                return new(pasted.Mask, pasted.Description)
                {
                    Image = pasted.Image, Host = _pairs[index].Id, Donor = _pairs[donor].Id,
                };
        }
        return new(_masks.Read(index), "none") { Image = Image(index), Host = _pairs[index].Id };
    }

    private StartImage Inpaint(int index, Seed seed)
    {
        var (lesion, description) = _masks.Of(index, seed);
        var host = Other(index, seed.Derive("host"));
        var pixel = Math.Max(1, _size.Width / 64);
        var region = Feather.Of(lesion, margin: 3 * pixel, softness: pixel);
        return new(LesionPaste.Joined(_masks.Read(host), lesion), description)
        {
            Image = Image(host), Region = region, Host = _pairs[host].Id,
        };
    }

    private int Other(int index, Seed seed)
    {
        var others = Others(index).ToList();
        return others[seed.Random().Next(others.Count)];
    }

    private IEnumerable<int> Others(int index) =>
        _byId.Where(i => i != index && (_pairs[i].Group is not { } group || group != _pairs[index].Group));

    private RgbImage Image(int index)
    {
        if (_images.TryGetValue(index, out var image)) return image;
        image = Resize.Image(PairFiles.ReadImage(_pairs[index]), _size);
        if (_images.Count < Kept) _images[index] = image;
        return image;
    }
}
