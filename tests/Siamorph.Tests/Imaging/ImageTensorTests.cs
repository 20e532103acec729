using Siamorph.Imaging;
using static TorchSharp.torch;

namespace Siamorph.Tests.Imaging;

public class ImageTensorTests
{
    [Fact]
    public void Rgb_ToTensorAndBack_IsTheSame()
    {
        using var scope = NewDisposeScope();
        var image = Pictures.Image(5, 17, 11);
        var tensor = ImageTensor.FromRgb(image);
        Assert.Equal([3, 11, 17], tensor.shape);
        Assert.Equal(image.Pixels[3 * (2 * 17 + 4) + 1] / 127.5f - 1, tensor[1, 2, 4].item<float>(), 1e-6);
        Assert.Equal(image.Pixels, ImageTensor.ToRgb(tensor).Pixels);
    }

    [Fact]
    public void ToRgb_ClampsAndSurvivesNotANumber()
    {
        using var scope = NewDisposeScope();
        Assert.Equal([255, 0, 0], ImageTensor.ToRgb(tensor(new[] { 9f, -9f, float.NaN }, [3, 1, 1])).Pixels);
        Assert.Throws<ArgumentException>(() => ImageTensor.ToRgb(zeros(1, 4, 4)));
    }

    [Fact]
    public void Mask_ToTensorAndBack_IsTheSame()
    {
        using var scope = NewDisposeScope();
        var mask = Pictures.Disc(9, 14);
        var tensor = ImageTensor.FromMask(mask);
        Assert.Equal([1, 14, 9], tensor.shape);
        Assert.Equal(mask.Labels, ImageTensor.ToMask(tensor).Labels);
    }

    [Fact]
    public void Sheet_HoldsEveryPictureInItsCell()
    {
        var images = Enumerable.Range(0, 5).Select(i => Pictures.Image(i, 10, 8)).ToList();
        var sheet = ContactSheet.Grid(images, 3, 2);
        Assert.Equal(new ImageSize(3 * 12 + 2, 2 * 10 + 2), sheet.Size);
        // the fifth: second column, second row
        Assert.Equal(images[4].Pixels[..3], sheet.Pixels.AsSpan(3 * (12 * sheet.Size.Width + 14), 3).ToArray());
    }

    [Fact]
    public void Outline_FollowsTheMaskAndLeavesTheInside()
    {
        var (image, mask) = (Pictures.Image(2), Pictures.Disc());
        var drawn = ContactSheet.WithOutline(image, mask, (0, 255, 0), 1);
        var changed = Enumerable.Range(0, mask.Labels.Length)
            .Where(i => drawn.Pixels[3 * i + 1] == 255 && drawn.Pixels[3 * i] == 0).ToList();
        Assert.NotEmpty(changed);
        Assert.All(changed, i => Assert.Equal(1, mask.Labels[i]));
        Assert.Equal(Pictures.Image(2).Pixels, image.Pixels);
    }
}
