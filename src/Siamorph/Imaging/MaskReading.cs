using System.Globalization;
using Siamorph.Imaging.Formats;

namespace Siamorph.Imaging;

// What the numbers of a mask file mean. Whatever its format, a mask is one of three things: black and white (two values),
// numbers of classes or of instances, or brightness, which is cut at the middle of its range.
internal static class MaskReading
{
    private const double MostlyAlike = 0.6, FaintOutline = 0.15;
    private const int LargestStep = 10; // annotators whose mean a map may be

    internal static GreyImage Of(StoredImage stored, string path)
    {
        if (stored.Reals.Length > 0) return OfReals(stored, path);
        var (values, note) = Plane(stored);
        uint largest = values.Max();
        var distinct = values.Distinct().Count();
        if (Means(values, stored, distinct, largest) == Meaning.Numbers)
            return new(stored.Size, Array.ConvertAll(values, v => (byte)Math.Min(v, 255)), Lossless: true)
            {
                Numbers = true, Largest = largest, Distinct = distinct, Note = note,
            };
        var full = FullScale(largest);
        return new(stored.Size, Array.ConvertAll(values, v => (byte)(v * 255L / full)), stored.Lossless)
        {
            Numbers = false, Largest = largest, Distinct = distinct, Note = note,
        };
    }

    private enum Meaning
    {
        Numbers,
        Brightness,
    }

    private static Meaning Means(uint[] values, StoredImage stored, int distinct, uint largest)
    {
        if (!stored.Lossless || largest == 0) return Meaning.Brightness;
        if (stored.Palette is { } palette) return IsRamp(palette)
            && largest > MaskLevels.LargestClassNumber ? OfLevels(values, stored.Size, distinct, largest) : Meaning.Numbers;
        return OfLevels(values, stored.Size, distinct, largest);
    }

    private static Meaning OfLevels(uint[] values, ImageSize size, int distinct, uint largest)
    {
        if (largest <= MaskLevels.LargestClassNumber) return Meaning.Numbers;
        if (distinct <= 2) return values.Contains(0u) ? Meaning.Numbers : Meaning.Brightness; // one level and black, or two greys
        if (!IsFlat(values, size, largest)) return Meaning.Brightness; // a soft or smoothed outline
        if (largest <= MaskLevels.Threshold) return Meaning.Numbers; // else nothing would be left
        return IsSteps(values, largest > 255 ? ushort.MaxValue : byte.MaxValue) ? Meaning.Brightness : Meaning.Numbers;
    }

    // Regions of one number each: neighbours within the lesion are alike, and at its outline stand numbers of any size. Along
    // a soft outline neighbours differ, and next to the background stand the smallest levels. `solid` is left out: the inside
    // of a black-and-white mask is flat whatever its outline is like.
    private static bool IsFlat(uint[] values, ImageSize size, uint solid)
    {
        long alike = 0, pairs = 0, outline = 0;
        double atOutline = 0;
        for (var y = 0; y < size.Height; y++)
            for (var x = 0; x < size.Width; x++)
            {
                var here = values[y * size.Width + x];
                if (x + 1 < size.Width) Count(here, values[y * size.Width + x + 1]);
                if (y + 1 < size.Height) Count(here, values[(y + 1) * size.Width + x]);
            }
        return pairs > 0 && alike >= MostlyAlike * pairs && (outline == 0 || atOutline / outline >= FaintOutline * values.Max());

        void Count(uint here, uint there)
        {
            if (here == 0 && there == 0) return;
            if (here == 0 || there == 0)
            {
                outline++;
                atOutline += Math.Max(here, there);
            }
            else if (here != solid || there != solid)
            {
                pairs++;
                if (here == there) alike++;
            }
        }
    }

    // 0, ⅓, ⅔, 1 of the full scale and the like: the mean of several annotators.
    private static bool IsSteps(uint[] values, uint full)
    {
        var levels = values.Distinct().Where(v => v > 0).ToList();
        return levels.Count < LargestStep && Enumerable.Range(2, LargestStep - 1)
            .Any(n => levels.TrueForAll(v =>
                Math.Abs(v * (double)n / full - Math.Round(v * (double)n / full)) <= n * 1.0 / full));
    }

    // A palette of greys in order is brightness all the same.
    private static bool IsRamp(byte[] palette)
    {
        for (var i = 0; i < palette.Length; i++)
            if (palette[i] != i / 3) return false;
        return palette.Length > 0;
    }

    private static uint FullScale(uint largest) =>
        largest switch { <= 255 => 255, <= 1023 => 1023, <= 4095 => 4095, <= 65535 => 65535, _ => largest };

    // One number a pixel: of colours the number where all channels agree, the transparency where nothing else differs,
    // otherwise the brightest channel (and, of few flat colours, anything but black).
    private static (uint[] Values, string? Note) Plane(StoredImage stored)
    {
        var (colours, count) = (stored.Colours, stored.Size.Width * stored.Size.Height);
        if (stored.Channels == 1) return (stored.Numbers, null);
        if (stored.HasAlpha && IsOneColour(stored) && Channel(stored, colours) is var alpha
            && alpha.AsSpan().ContainsAnyExcept(alpha[0]))
            return (alpha, "its colours are all the same; the mask is taken from the transparency (alpha) channel");
        var brightest = new uint[count];
        var grey = true;
        for (var i = 0; i < count; i++)
        {
            var pixel = stored.Numbers.AsSpan(i * stored.Channels, colours);
            foreach (var value in pixel) brightest[i] = Math.Max(brightest[i], value);
            grey &= !pixel.ContainsAnyExcept(pixel[0]);
        }
        if (grey || !stored.Lossless) return (brightest, null);
        var numbers = Numbered(stored, colours);
        return MayBeLost(brightest) && IsFlat(numbers, stored.Size, Commonest(numbers)) ? (numbers, null) : (brightest, null);
    }

    // Colours that are not black, yet too dark to be the lesion by brightness.
    private static bool MayBeLost(uint[] brightest)
    {
        var middle = FullScale(brightest.Max()) / 2;
        return Array.Exists(brightest, b => b > MaskLevels.LargestClassNumber && b <= middle)
            || brightest.Max() <= MaskLevels.LargestClassNumber;
    }

    private static uint Commonest(uint[] numbers) =>
        numbers.Where(n => n > 0).CountBy(n => n).DefaultIfEmpty(new(0, 0)).MaxBy(n => n.Value).Key;

    // Flat colours as numbers in the order in which they come; black is 0.
    private static uint[] Numbered(StoredImage stored, int colours)
    {
        var known = new Dictionary<(uint, uint, uint), uint> { [(0, 0, 0)] = 0 };
        var numbers = new uint[stored.Size.Width * stored.Size.Height];
        for (var i = 0; i < numbers.Length; i++)
        {
            var at = i * stored.Channels;
            var colour = (stored.Numbers[at], colours > 1 ? stored.Numbers[at + 1] : 0, colours > 2 ? stored.Numbers[at + 2] : 0);
            if (!known.TryGetValue(colour, out numbers[i])) known[colour] = numbers[i] = (uint)known.Count;
        }
        return numbers;
    }

    private static bool IsOneColour(StoredImage stored)
    {
        for (var i = 0; i < stored.Numbers.Length; i++)
            if (i % stored.Channels < stored.Colours && stored.Numbers[i] != stored.Numbers[i % stored.Channels]) return false;
        return true;
    }

    private static uint[] Channel(StoredImage stored, int channel)
    {
        var values = new uint[stored.Size.Width * stored.Size.Height];
        for (var i = 0; i < values.Length; i++) values[i] = stored.Numbers[i * stored.Channels + channel];
        return values;
    }

    // Real numbers are probabilities, or brightness up to 255.
    private static GreyImage OfReals(StoredImage stored, string path)
    {
        var plane = new float[stored.Size.Width * stored.Size.Height];
        for (var i = 0; i < plane.Length; i++)
            for (var c = 0; c < stored.Colours; c++)
                plane[i] = c == 0 ? stored.Reals[i * stored.Channels] : Math.Max(plane[i], stored.Reals[i * stored.Channels + c]);
        if (Array.Exists(plane, v => !float.IsFinite(v) || v < 0))
            throw new InvalidDatasetException(
                $"{path}: the mask holds numbers below 0 or none at all (NaN). Save it with 0 for the background and 1 for "
                    + $"the lesion.");
        var largest = plane.Max();
        if (largest > 255)
            throw new InvalidDatasetException(string.Create(CultureInfo.InvariantCulture,
                $"{path}: the mask holds fractions up to {largest:G4}, which are neither probabilities nor class numbers. Save "
                    + $"it with 0 and 1."));
        var scale = largest <= 1 ? 255f : 1f;
        return new(stored.Size, Array.ConvertAll(plane, v => (byte)MathF.Round(v * scale)), Lossless: true)
        {
            Numbers = false,
            Largest = largest,
            Distinct = plane.Distinct().Count(),
        };
    }
}
