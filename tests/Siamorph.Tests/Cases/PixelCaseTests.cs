using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Imaging;

namespace Siamorph.Tests.Cases;

/// <summary>Files on which pixels were once misread without a word.</summary>
public sealed class PixelCaseTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("04-low-depth-palette-tiled-masks-are-empty", "grey4bit01")]
    [InlineData("04-low-depth-palette-tiled-masks-are-empty", "grey16_interlaced01")]
    [InlineData("04-low-depth-palette-tiled-masks-are-empty", "pal_voc8")]
    [InlineData("04-low-depth-palette-tiled-masks-are-empty", "tif_rgb01")]
    [InlineData("14-messages-that-mislead", "tif_f32_01")]
    [InlineData("14-messages-that-mislead", "tif_i32_01")]
    [InlineData("14-messages-that-mislead", "rgba_black_alpha")]
    [InlineData("14-messages-that-mislead", "rgba_white_alpha")]
    public void Masks_AreReadByWhatIsStored(string @case, string data)
    {
        // The shapes are those of the set that was always read well.
        var expected = DatasetFolder.Read(SharedMaterial.Path("cases", "13-palette-classes", "pal_classes")).Pairs.ToDictionary(
            p => p.Id, p => PairFiles.ReadMask(p with { Classes = null }).Labels);
        var pairs = DatasetFolder.Read(SharedMaterial.Path("cases", @case, data)).Pairs;
        Assert.NotEmpty(pairs);
        Assert.All(pairs, p => Assert.InRange(PairFiles.ReadMask(p).Labels.Zip(expected[p.Id]).Count(l => l.First == l.Second),
            0.999 * expected[p.Id].Length, expected[p.Id].Length));
    }

    [Fact]
    public void Instances_CoverHalfOfThePicture()
    {
        var pairs = DatasetFolder.Read(SharedMaterial.Path("cases", "03-instance-ids-over-255", "inst300_png16")).Pairs;
        Assert.All(pairs, p => Assert.InRange(PairFiles.ReadMask(p).Labels.Average(l => l), 0.45, 0.6));
    }

    [Theory]
    [InlineData("pred01")]
    [InlineData("pred2bit")]
    [InlineData("pred4bit")]
    [InlineData("predpal")]
    [InlineData("predtile")]
    [InlineData("predalpha")]
    [InlineData("predinst")]
    [InlineData("predf32")]
    public void Predictions_OfEveryFormat_ScoreTheSame(string predictions)
    {
        var truth = SharedMaterial.Path("cases", "05-evaluate-masks-formats", "truth");
        var found = Path.Combine(truth, "..", predictions);
        if (!Directory.Exists(found)) Assert.Skip($"{predictions} is not here.");
        var (exitCode, output, error) =
            CommandLine.Run("evaluate", "masks", "--truth", truth, "--predictions", found, "--protocol", "plain@0.5");
        Assert.True(exitCode == 0, error);
        Assert.Contains("0.9483", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("img12_png16")]
    [InlineData("img12_tif16")]
    [InlineData("img8in16_png")]
    public void WidePictures_AreNotBlack(string data)
    {
        var folder = Path.Combine(SharedMaterial.Path("cases", "06-wide-images-are-black"), data);
        if (!Directory.Exists(folder)) Assert.Skip($"{data} is not here.");
        Assert.All(DatasetFolder.Read(folder).Pairs,
            p => Assert.InRange(PairFiles.ReadImage(p).Pixels.Order().ElementAt(96 * 96 * 3 / 2), 50, 200));
        Assert.Contains("bits", CommandLine.Run("data", "check", folder).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void SeveralPages_AreAnError()
    {
        var (exitCode, output, _) = CommandLine.Run("data", "check",
            SharedMaterial.Path("cases", "11-multipage-tiff", "multipage"));
        Assert.Equal(2, exitCode);
        Assert.Contains("3 pages", output, StringComparison.Ordinal);
    }

    [Fact]
    public void PaletteClasses_AreWarnedOf()
    {
        Assert.Contains("several-classes",
            CommandLine.Run("data", "check", SharedMaterial.Path("cases", "13-palette-classes", "pal_voc_classes12")).Output,
            StringComparison.Ordinal);
        Assert.Equal(0, CommandLine.Run("data", "check",
            SharedMaterial.Path("cases", "13-palette-classes", "pal_classes")).ExitCode);
    }

    [Theory]
    [InlineData("data", "check")]
    [InlineData("train", "--out", "run", "--base-steps", "1", "--siamese-steps", "1")]
    [InlineData("segment", "train", "--out", "run", "--steps", "1", "--network-width", "4")]
    [InlineData("evaluate", "masks", "--predictions", "data/masks", "--truth")]
    [InlineData("experiment", "--out", "run", "--real-counts", "4")]
    public void MasksThatAllComeOutEmpty_StopEveryVerb(params string[] verb)
    {
        // Faint maps: nothing in them is brighter than 127, and nothing is flat.
        for (var n = 0; n < 12; n++)
        {
            ImageFile.WritePng(_folder["data", "images", $"{n}.png"], Siamorph.Tests.Imaging.Pictures.Image(n));
            Siamorph.Tests.Imaging.Pictures.WriteGrey(_folder["data", "masks", $"{n}.png"], new(48, 40), i => (byte)(i % 48 * 2));
        }
        Assert.Equal(0, CommandLine.Run("data", "split", _folder["data"], "--train", "0.5", "--val", "0.25", "--test",
            "0.25").ExitCode);
        string[] arguments = [.. verb.Select(v => v is "run" or "data/masks" ? _folder[v] : v)];
        string[] line = verb[^1] == "--truth" || verb[0] == "data" ? [.. arguments, _folder["data"]]
            : [.. arguments.TakeWhile(a => !a.StartsWith('-')), _folder["data"], .. arguments.SkipWhile(a => !a.StartsWith('-'))];
        var (exitCode, output, error) = CommandLine.Run(line);
        Assert.Equal(2, exitCode);
        Assert.Contains("every mask of this set comes out empty", output + error, StringComparison.Ordinal);
    }
}
