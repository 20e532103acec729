using Siamorph.Data;
using Siamorph.Imaging;

namespace Siamorph.Tests.Segmentation;

/// <summary>A folder of small images with bright ellipses, and their masks; removed when disposed.</summary>
internal sealed class TinyPairs : IDisposable
{
    public TinyPairs() => Folder = Directory.CreateTempSubdirectory("siamorph-tests-").FullName;

    public string Folder { get; }

    public string In(string name) => Path.Combine(Folder, name);

    /// <summary>Writes pairs into images/ and masks/ of a sub-folder, with a manifest.</summary>
    public IReadOnlyList<ImageMaskPair> Write(
        string name, int count, ImageSize size, ulong seed = 1, PairSource source = PairSource.Real, string? split = null)
    {
        var pairs = new List<ImageMaskPair>();
        for (var i = 0; i < count; i++)
        {
            var (image, mask) = Ellipse(size, new Seed(seed).Derive(i).Random());
            var pair = new ImageMaskPair
            {
                Id = $"{split}{i:000}",
                ImagePath = Path.Combine(Folder, name, "images", $"{split}{i:000}.png"),
                MaskPath = Path.Combine(Folder, name, "masks", $"{split}{i:000}.png"),
                Source = source,
                Split = split,
            };
            ImageFile.WritePng(pair.ImagePath, image);
            ImageFile.WriteMaskPng(pair.MaskPath, mask);
            pairs.Add(pair);
        }
        return pairs;
    }

    public PairedDataset Load(string name, int count, int side, ulong seed = 1, PairSource source = PairSource.Real) =>
        PairedDataset.Load(Write(name, count, new(side, side), seed, source), new(side, side), NullMonitor.Instance);

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static (RgbImage, LabelMap) Ellipse(ImageSize size, SeededRandom random)
    {
        var (image, mask) = (new RgbImage(size), new LabelMap(size));
        double cx = size.Width * random.Uniform(.3, .7), cy = size.Height * random.Uniform(.3, .7);
        double rx = size.Width * random.Uniform(.12, .25), ry = size.Height * random.Uniform(.12, .25);
        for (var y = 0; y < size.Height; y++)
        {
            for (var x = 0; x < size.Width; x++)
            {
                var inside = Math.Pow((x - cx) / rx, 2) + Math.Pow((y - cy) / ry, 2) <= 1;
                var at = y * size.Width + x;
                mask.Labels[at] = inside ? (byte)1 : (byte)0;
                for (var c = 0; c < 3; c++) image.Pixels[3 * at + c] = (byte)((inside ? 150 : 90) + 20 * c + random.Next(30));
            }
        }
        return (image, mask);
    }
}
