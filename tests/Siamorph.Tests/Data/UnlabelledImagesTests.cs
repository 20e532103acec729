using Siamorph.Data;
using Siamorph.Imaging;
using Siamorph.Tests.Imaging;

namespace Siamorph.Tests.Data;

public sealed class UnlabelledImagesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_LeavesOutWhatIsOrLooksLikeAHeldOutImage_AndSaysSo()
    {
        var pairs = Pairs();
        ImageFile.WritePng(_folder["more", "a-new.png"], Pictures.Image(77));
        ImageFile.WritePng(_folder["more", "deep/b-test-copy.png"], Pictures.Image(2));
        Pictures.WriteJpeg(_folder["more", "c-val-again.jpg"], Pictures.Image(1));
        ImageFile.WritePng(_folder["more", "d-train-copy.png"], Pictures.Image(0));
        var heard = new Listener();
        var read = UnlabelledImages.Read(_folder["more"], pairs, heard);
        Assert.Equal(["a-new", "d-train-copy"], read.Images.Select(i => i.Id));
        Assert.Equal(
            [new UnlabelledLeak("c-val-again.jpg", "p1", "val", Same: false),
                new UnlabelledLeak("deep/b-test-copy.png", "p2", "test", Same: true)],
            read.LeftOut.OrderBy(l => l.Image, StringComparer.Ordinal));
        var note = Assert.Single(heard.Notes);
        Assert.Contains("2 left out", note, StringComparison.Ordinal);
        Assert.Contains("the same image as p2 of split \"test\"", note, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfADatasetFolder_TakesItsImagesAlone()
    {
        Pictures.WritePair(_folder["data"], "x", 5);
        Assert.Equal("images/x", Assert.Single(UnlabelledImages.Read(_folder["data"], [], NullMonitor.Instance).Images).Id);
    }

    [Fact]
    public void Read_WithNothingToLearnFrom_IsRefused()
    {
        Assert.Contains("does not exist", Fault("none").Message, StringComparison.Ordinal);
        Directory.CreateDirectory(_folder["empty"]);
        Assert.Contains("holds no image", Fault("empty").Message, StringComparison.Ordinal);
        ImageFile.WritePng(_folder["leak", "a.png"], Pictures.Image(2));
        Assert.Contains("the same image as p2", Fault("leak").Message, StringComparison.Ordinal);

        InvalidDatasetException Fault(string name) =>
            Assert.Throws<InvalidDatasetException>(() => UnlabelledImages.Read(_folder[name], Pairs(), NullMonitor.Instance));
    }

    private List<ImageMaskPair> Pairs()
    {
        string[] splits = ["train", "val", "test"];
        return [.. splits.Select((split, n) =>
        {
            Pictures.WritePair(_folder["pairs"], $"p{n}", n);
            return new ImageMaskPair
            {
                Id = $"p{n}", ImagePath = _folder["pairs", $"images/p{n}.png"], MaskPath = _folder["pairs", $"masks/p{n}.png"],
                Split = split,
            };
        })];
    }

    private sealed class Listener : IMonitor
    {
        public List<string> Notes { get; } = [];

        public CancellationToken Cancellation => default;

        public void Note(string line) => Notes.Add(line);

        public IMonitoredStage Begin(string title, long total) => NullMonitor.Instance.Begin(title, total);
    }
}
