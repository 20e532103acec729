using Siamorph.Imaging;
using Siamorph.Segmentation;
using Siamorph.Segmentation.Batches;

namespace Siamorph.Tests.Segmentation;

public class SmoothWarpTests
{
    private static readonly AugmentationOptions Options = new() { Rotation = 30, Zoom = 0.25, Elastic = 0.04 };

    // The formula of decision and documentation, a pixel at a time: it holds to the last bit.
    [Theory]
    [InlineData(64, 64, true)]
    [InlineData(48, 31, true)]
    [InlineData(64, 64, false)]
    public void Copy_OfAnyPicture_IsTheFormulaOfEachPixel(int width, int height, bool smooth)
    {
        var random = new Seed(1).Random();
        var plane = Enumerable.Range(0, width * height).Select(_ => (byte)random.Next(256)).ToArray();
        var table = Enumerable.Range(0, 256).Select(v => v / 127.5f - 1).ToArray();
        for (var seed = 1UL; seed <= 8; seed++)
        {
            var warp = SmoothWarp.Draw(Options, new Seed(seed).Random(), new ImageSize(width, height))!;
            var walk = new Augmentation(MirrorX: seed % 2 == 0, MirrorY: seed % 3 == 0, Turns: width == height ? (int)(seed % 4)
                : 2, 1, 1).Walk(width, height);
            var (spots, result) = (new SmoothWarp.SourcePixels[plane.Length], new float[plane.Length]);
            warp.Trace(walk, spots);
            SmoothWarp.Copy(plane, result, spots, table, smooth);
            Assert.Equal(ByFormula(new Seed(seed).Random(), width, height, plane, walk, table, smooth), result);
        }
    }

    private static float[] ByFormula(
        SeededRandom random, int width, int height, byte[] from, (int Start, int Right, int Down) walk, float[] table,
        bool smooth)
    {
        var angle = random.Uniform(-1, 1) * Options.Rotation * Math.PI / 180;
        var factor = Math.Exp(random.Uniform(-1, 1) * Math.Log(1 + Options.Zoom));
        var (cos, sin, amplitude) = (Math.Cos(angle) / factor, Math.Sin(angle) / factor, Options.Elastic * width);
        var phases = Enumerable.Range(0, 8).Select(_ => random.Uniform(0, 2 * Math.PI)).ToArray();
        float At(int x, int y) => table[from[walk.Start + Mirrored(x, width) * walk.Right + Mirrored(y, height) * walk.Down]];
        var result = new float[width * height];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                double dx = 0, dy = 0;
                for (var k = 0; k < 2; k++)
                {
                    var f = 2 * Math.PI * (k + 1) / width;
                    dx += Math.Sin(f * y + phases[4 * k]) * Math.Cos(f * x + phases[4 * k + 1]) / (k + 1);
                    dy += Math.Sin(f * x + phases[4 * k + 2]) * Math.Cos(f * y + phases[4 * k + 3]) / (k + 1);
                }
                var (centreX, centreY) = ((width - 1) / 2.0, (height - 1) / 2.0);
                var (px, py) = (x - centreX + amplitude * dx / 2, y - centreY + amplitude * dy / 2);
                var (u, v) = (cos * px + sin * py + centreX, -sin * px + cos * py + centreY);
                int left = (int)Math.Floor(u), top = (int)Math.Floor(v);
                var (fx, fy) = ((float)(u - left), (float)(v - top));
                if (!smooth) (fx, fy) = (MathF.Round(fx), MathF.Round(fy));
                result[y * width + x] = (At(left, top) * (1 - fx) + At(left + 1, top) * fx) * (1 - fy)
                    + (At(left, top + 1) * (1 - fx) + At(left + 1, top + 1) * fx) * fy;
            }
        return result;
    }

    private static int Mirrored(int at, int length)
    {
        var period = 2 * length;
        at = (at % period + period) % period;
        return at < length ? at : period - 1 - at;
    }
}
