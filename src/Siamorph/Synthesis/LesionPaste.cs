using Siamorph.Imaging;

namespace Siamorph.Synthesis;

/// <summary>
/// Puts the lesion of one image into another: deformed, moved, brought to the colours of its new surroundings, with a soft seam.
/// The lesion that was there before stays in the mask.
/// </summary>
internal static class LesionPaste
{
    private const int Tries = 12;
    private const double Reach = 0.22; // the farthest shift, as a share of the width: a lesion stays in its part of the image
    private const double LeastArea = 1.0 / 400;
    private const double LeastLight = 0.5;
    private const double MostGain = 1.8;

    /// <summary>The host with the donor's lesion.</summary>
    /// <param name="host">Image and mask that receive.</param>
    /// <param name="donor">Image and mask that give, of the same size.</param>
    /// <param name="options">How the lesion is varied.</param>
    /// <param name="seed">Decides how, and where it goes.</param>
    /// <returns>The joined image and mask; null where no place was found.</returns>
    public static (RgbImage Image, LabelMap Mask, string Description)? Apply(
        (RgbImage Image, LabelMap Mask) host, (RgbImage Image, LabelMap Mask) donor, MaskDeformationOptions options, Seed seed)
    {
        var wanted = LeastArea * donor.Mask.Labels.Length;
        for (var attempt = 0; attempt < Tries; attempt++)
        {
            var random = seed.Derive("paste").Derive(attempt).Random();
            var warp = MaskWarp.Draw(options, random, donor.Mask);
            var reach = Reach * host.Mask.Size.Width;
            warp.Shift = (random.Uniform(-reach, reach), random.Uniform(-reach, reach));
            var lesion = warp.Apply(donor.Mask);
            if (lesion.Labels.Count(l => l != 0) < wanted || !IsLit(host.Image, lesion)) continue;
            var (image, mask) = Join(host, (warp.Apply(donor.Image), lesion));
            return (image, mask, warp.Description);
        }
        return null;
    }

    // Endoscopes have black corners: a lesion is not put there.
    private static bool IsLit(RgbImage host, LabelMap lesion)
    {
        double under = 0, count = 0, all = 0;
        for (var i = 0; i < lesion.Labels.Length; i++)
        {
            var light = Light(host, i);
            all += light;
            if (lesion.Labels[i] != 0) (under, count) = (under + light, count + 1);
        }
        return under * lesion.Labels.Length >= LeastLight * all * count;
    }

    private static double Light(RgbImage image, int i) => image.Pixels[3 * i] + image.Pixels[3 * i + 1] + image.Pixels[3 * i + 2];

    private static (RgbImage, LabelMap) Join((RgbImage Image, LabelMap Mask) host, (RgbImage Image, LabelMap Mask) lesion)
    {
        var pixel = Math.Max(1, host.Mask.Size.Width / 64);
        var share = Feather.Of(lesion.Mask, margin: 0, softness: pixel);
        var ring = Feather.Ring(lesion.Mask, 3 * pixel);
        var image = new RgbImage(host.Image.Size);
        for (var c = 0; c < 3; c++)
        {
            var gain = Math.Clamp((Mean(host.Image, ring, c) + 1) / (Mean(lesion.Image, ring, c) + 1), 1 / MostGain, MostGain);
            for (var i = 0; i < share.Length; i++)
            {
                var pasted = Math.Min(255, lesion.Image.Pixels[3 * i + c] * gain);
                image.Pixels[3 * i + c] = (byte)Math.Round(host.Image.Pixels[3 * i + c] * (1 - share[i]) + pasted * share[i]);
            }
        }
        return (image, Joined(host.Mask, lesion.Mask));
    }

    /// <summary>Both masks; where they overlap, the lesion on top.</summary>
    public static LabelMap Joined(LabelMap below, LabelMap lesion) =>
        new(below.Size, [.. lesion.Labels.Zip(below.Labels, (l, b) => l != 0 ? l : b)]);

    private static double Mean(RgbImage image, bool[] where, int channel)
    {
        double sum = 0, count = 0;
        for (var i = 0; i < where.Length; i++)
            if (where[i]) (sum, count) = (sum + image.Pixels[3 * i + channel], count + 1);
        return count > 0 ? sum / count : 0;
    }
}
