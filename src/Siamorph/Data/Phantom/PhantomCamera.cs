using Siamorph.Imaging;

namespace Siamorph.Data.Phantom;

// What the endoscope makes of the light: lens, exposure, sensor, processor, frame.
internal static class PhantomCamera
{
    internal static RgbImage Take(PhantomScene scene, Field[] light, ImageSize size)
    {
        var device = scene.Device;
        Field[] planes = [.. light.Select((plane, c) => Expose(scene, plane, c))];
        planes = [.. planes.Select(p => Sharpened(p.Blurred(device.Blur), device.Sharpening))];
        if (device.Fringe > 0) planes = [Scaled(planes[0], 1 - device.Fringe), planes[1], Scaled(planes[2], 1 + device.Fringe)];
        Frame(device, planes);
        return Develop(scene, [.. planes.Select(p => Reduced(p, size))]);
    }

    // A soft shoulder: highlights run to white through pale, as on a sensor near its limit; glare spreads a little.
    private static Field Expose(PhantomScene scene, Field light, int channel)
    {
        var (red, green, blue) = scene.Device.Gain;
        var gain = scene.Exposure * (channel == 0 ? red : channel == 1 ? green : blue);
        var exposed = light.Like();
        var glare = light.Like();
        for (var i = 0; i < light.Values.Length; i++) glare.Values[i] = MathF.Max(0, light.Values[i] - 0.8f);
        glare = glare.Blurred(0.03f);
        for (var i = 0; i < light.Values.Length; i++)
        {
            var value = gain * light.Values[i] + 0.35f * glare.Values[i];
            exposed.Values[i] = MathF.Pow(1 - MathF.Exp(-1.7f * value), 1.1f);
        }
        return exposed;
    }

    private static Field Sharpened(Field plane, float amount)
    {
        if (amount == 0) return plane;
        var soft = plane.Blurred(0.014f);
        for (var i = 0; i < soft.Values.Length; i++)
            soft.Values[i] = plane.Values[i] + amount * (plane.Values[i] - soft.Values[i]);
        return soft;
    }

    // The plane enlarged about its centre, by bilinear interpolation.
    private static Field Scaled(Field plane, float factor)
    {
        var result = plane.Like();
        for (var row = 0; row < plane.Height; row++)
            for (var column = 0; column < plane.Width; column++)
            {
                var (x, y) = ((plane.X(column) / factor / plane.Pixel) + 0.5f * plane.Width - 0.5f,
                    (plane.Y(row) / factor / plane.Pixel) + 0.5f * plane.Height - 0.5f);
                var (left, top) = ((int)MathF.Floor(x), (int)MathF.Floor(y));
                var (fx, fy) = (x - left, y - top);
                var upper = plane.Clamped(left, top) * (1 - fx) + plane.Clamped(left + 1, top) * fx;
                var lower = plane.Clamped(left, top + 1) * (1 - fx) + plane.Clamped(left + 1, top + 1) * fx;
                result.Values[row * plane.Width + column] = upper * (1 - fy) + lower * fy;
            }
        return result;
    }

    private static void Frame(PhantomDevice device, Field[] planes)
    {
        var half = PhantomShape.Half(planes[0]);
        for (var row = 0; row < planes[0].Height; row++)
            for (var column = 0; column < planes[0].Width; column++)
            {
                var inside = device.Inside(planes[0].X(column), planes[0].Y(row), half.X, half.Y);
                var lit = PhantomShape.Smooth(-0.006f, 0.012f, inside) * (0.6f + 0.4f * PhantomShape.Smooth(0, 0.22f, inside));
                foreach (var plane in planes) plane.Values[row * plane.Width + column] *= lit;
            }
    }

    private static Field Reduced(Field plane, ImageSize size)
    {
        var (result, n) = (new Field(size.Width, size.Height), plane.Width / size.Width);
        for (var y = 0; y < plane.Height; y++)
            for (var x = 0; x < plane.Width; x++)
                result.Values[y / n * size.Width + x / n] += plane.Values[y * plane.Width + x] / (n * n);
        return result;
    }

    private static RgbImage Develop(PhantomScene scene, Field[] planes)
    {
        var (device, size) = (scene.Device, new ImageSize(planes[0].Width, planes[0].Height));
        var random = scene.Seed.Derive("sensor").Random();
        var image = new RgbImage(size);
        for (var i = 0; i < planes[0].Values.Length; i++)
        {
            var grey = 0.3f * planes[0].Values[i] + 0.55f * planes[1].Values[i] + 0.15f * planes[2].Values[i];
            var common = 0.7f * (float)random.Normal();
            for (var c = 0; c < 3; c++)
            {
                var value = grey + device.Saturation * (planes[c].Values[i] - grey);
                value = Math.Clamp(value, 0, 1);
                value += device.Contrast * value * (value * (3 - 2 * value) - 1); // an S curve that keeps black and white
                var noise = device.Noise * (0.35f + 0.65f * MathF.Sqrt(MathF.Max(0, value))) * (common
                + 0.7f * (float)random.Normal());
                image.Pixels[3 * i + c] = (byte)Math.Clamp(MathF.Round(255 * (0.015f + 0.985f * value) + 255 * noise), 0, 255);
            }
        }
        return image;
    }
}
