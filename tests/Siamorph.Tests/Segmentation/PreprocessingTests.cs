using Siamorph.Imaging;
using Siamorph.Segmentation.Batches;
using Siamorph.Segmentation.Networks;
using Siamorph.Weights;
using static Siamorph.Tests.Segmentation.SegmentationFixtures;
using static TorchSharp.torch;

namespace Siamorph.Tests.Segmentation;

public class PreprocessingTests
{
    [Fact]
    public void ColourExchange_OfReferenceImages_GivesItsLevels()
    {
        using var scope = NewDisposeScope();
        var golden = Tensors("preprocessing").Under("color.");
        var (image, reference) = (Image(golden["image_rgb"]), Image(golden["reference_rgb"]));
        var (lab, labThere) = (LabColour.FromRgb(image), LabColour.FromRgb(reference));
        CloseLevels(golden["image_lab_cv2"], lab, 0);
        CloseLevels(golden["reference_lab_cv2"], labThere, 0);

        var numbers = Json("preprocessing")["color"]!;
        for (var c = 0; c < 3; c++)
        {
            var (mean, deviation) = ColourExchange.Statistics(golden["image_lab_cv2"].bytes.ToArray(), c);
            Assert.Equal((double)numbers["mean_image"]![c]!, mean, 1e-9);
            Assert.Equal((double)numbers["std_image"]![c]!, deviation, 1e-9);
            (mean, deviation) = ColourExchange.Statistics(golden["reference_lab_cv2"].bytes.ToArray(), c);
            Assert.Equal((double)numbers["mean_ref"]![c]!, mean, 1e-9);
            Assert.Equal((double)numbers["std_ref"]![c]!, deviation, 1e-9);
        }
        // From the same Lab levels, the exchanged ones are the same to the last bit.
        var (from, to) = (golden["image_lab_cv2"].bytes.ToArray(), golden["reference_lab_cv2"].bytes.ToArray());
        var clamped = ColourExchange.Exchanged(from, to, ColourExchange.Clamped);
        var wrapped = ColourExchange.Exchanged(from, to, ColourExchange.Wrapped);
        CloseLevels(golden["exchanged_lab_clamped_trunc"], clamped, 0);
        CloseLevels(golden["exchanged_lab_as_executed_uint8_cast"], wrapped, 0);
        Assert.True((bool)numbers["wrap_equals_as_executed"]!); // that the cast wraps is what "Wrapped" does
        Close(golden["exchanged_lab_float"].clamp(0, 255).floor(), tensor(clamped, golden["image_rgb"].shape), 0);
        var outside = golden["exchanged_lab_float"].lt(0).logical_or(golden["exchanged_lab_float"].ge(256)).sum().item<long>();
        Assert.Equal((long)numbers["n_out_of_range"]!, outside);
        CloseLevels(golden["result_rgb_clamped"], LabColour.ToRgb(image.Size, clamped).Pixels, 1);
        CloseLevels(golden["result_rgb_as_executed"], LabColour.ToRgb(image.Size, wrapped).Pixels, 1);
    }

    [Fact]
    public void ColourExchange_WithTheImageItself_ChangesAlmostNothing()
    {
        using var scope = NewDisposeScope();
        var image = Image(Tensors("preprocessing")["color.image_rgb"]);
        var same = ColourExchange.Apply(image, image).Pixels;
        Assert.True(same.Zip(image.Pixels, (a, b) => Math.Abs(a - b)).Average() < 3);
    }

    [Theory]
    [InlineData("mixed")]
    [InlineData("all_negative")]
    [InlineData("all_positive")]
    [InlineData("with_zeros")]
    public void ProbabilityCorrection_OfReferenceLogits_GivesItsLogitsAndMap(string name)
    {
        using var scope = NewDisposeScope();
        var golden = Tensors("preprocessing").Under($"pcs.{name}.");
        var corrected = ProbabilityCorrection.Apply(golden["logits"]);
        Close(golden["corrected"], corrected, 1e-5, 1e-5);
        Close(golden["map_u8"], (corrected.sigmoid() * 255).round().to_type(ScalarType.Byte), 1);
        Assert.True((corrected.sign() == golden["logits"].sign()).all().item<bool>());
    }

    [Fact]
    public void Scaling_OfTensors_IsTheReferences()
    {
        using var scope = NewDisposeScope();
        var golden = Tensors("preprocessing").Under("resize.");
        var image = golden["image_u8"].permute(2, 0, 1).unsqueeze(0).to_type(ScalarType.Float32);
        foreach (var (name, expected) in golden.Where(p => p.Key.StartsWith("torch_", StringComparison.Ordinal)))
        {
            var scale = (expected.max() > 1.5f).item<bool>() ? 1f : 1 / 255f;
            var (height, width) = (expected.shape[2], expected.shape[3]);
            var actual = name switch
            {
                _ when name.Contains("_ac0_", StringComparison.Ordinal) =>
                    Operators.ScaleTo(image * scale, height, width, corners: false),
                _ when name.Contains("_ac1_", StringComparison.Ordinal) =>
                    Operators.ScaleTo(image * scale, height, width, corners: true),
                _ when name.Contains("nearest", StringComparison.Ordinal) => Operators.NearestTo(image * scale, expected),
                _ => null,
            };
            if (actual is not null) Close(expected, actual, 1e-5 * (scale == 1 ? 255 : 1), what: name);
        }
    }

    [Fact]
    public void Normalised_Images_AreTheReferences()
    {
        using var scope = NewDisposeScope();
        var golden = Tensors("preprocessing").Under("resize.");
        using var net = NetworkFactory.Create(new() { Name = "segformer-compact" });
        var unit = ImageTensor.FromRgb(Image(golden["image_u8"])).unsqueeze(0);
        Close(golden["albumentations_normalized"].permute(2, 0, 1).unsqueeze(0), net.Normalised(unit), 1e-5);
    }

    [Fact]
    public void MultiScaleSizes_OfASide_AreTheReferences()
    {
        foreach (var (side, sizes) in Json("preprocessing")["multiscale_sizes"]!.AsObject())
            Assert.Equal(sizes!.AsArray().Select(s => (int)s!),
                MultiScaleSizes.Three(int.Parse(side, System.Globalization.CultureInfo.InvariantCulture)));
    }

    private static RgbImage Image(Tensor levels) => new(new((int)levels.shape[1], (int)levels.shape[0]), levels.bytes.ToArray());

    private static void CloseLevels(Tensor expected, byte[] actual, double tolerance) =>
        Close(expected, tensor(actual, expected.shape), tolerance);
}
