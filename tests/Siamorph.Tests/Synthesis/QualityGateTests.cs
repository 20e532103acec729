using Siamorph.Data;
using Siamorph.Data.Phantom;
using Siamorph.Evaluation.Masks;
using Siamorph.Imaging;
using Siamorph.Synthesis;
using Siamorph.Tests.Imaging;

namespace Siamorph.Tests.Synthesis;

public sealed class QualityGateTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<GateInput> _pairs;

    public QualityGateTests()
    {
        var written = PhantomDataset.Write(_folder["data"], new PhantomOptions
        {
            Count = 120, Size = new ImageSize(32, 32), FramesPerCase = 1,
        }, NullMonitor.Instance).Pairs;
        _pairs = [.. written.Select(p => (Pair: p, Mask: PairFiles.ReadMask(p)))
            .Select((x, i) => new GateInput(x.Pair.Id, PairFiles.ReadImage(x.Pair), x.Mask, Network(x.Mask, i)))];
    }

    private IEnumerable<GateInput> Unseen => _pairs.Skip(60);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Judge_RefusesFewPairsOfTheSameWorld()
    {
        var verdicts = Gate().Judge(Unseen, 60, GateSelection.InOrder);
        Assert.InRange(verdicts.Count(v => v.Reasons.Count > 0), 0, 20); // five tests, each set to refuse one in twenty
        foreach (var kind in new[] { "agreement", "contrast", "mask", "copy", "outlier" })
            Assert.InRange(verdicts.Count(v => v.Reasons.Any(r => r.Kind == kind)), 0, 9);
    }

    [Fact]
    public void Judge_RefusesWrongMasks_EvenByNetworksThatNeverClaimALesion()
    {
        Assert.All(_pairs, p => Assert.True(p.Found.Levels.Max() < 128)); // Dice at 0.5 is zero for right and wrong masks alike
        var gate = Gate();
        var unseen = Unseen.ToList();
        var wrong = unseen.Select((p, i) => p with { Mask = unseen[(i + 30) % 60].Mask }).ToList();
        var verdicts = gate.Judge(wrong, 60, GateSelection.InOrder);
        Assert.InRange(verdicts.Count(v => v.Reasons.Any(r => r.Kind == "agreement")), 36, 60);
        Assert.InRange(gate.WrongMasksRefused, 0.6, 1);
        Assert.InRange(gate.RealAgreement, 0.8, 1);
        Assert.True(verdicts.Average(v => v.Agreement) < gate.RealAgreement - 0.2);
    }

    [Fact]
    public void WrongMasksRefused_WithNetworksThatKnowNothing_TellsThatTheGateIsBlind()
    {
        var random = new Seed(1).Random();
        var blind = new QualityGate([.. _pairs.Take(60).Select(p => p with
        {
            Image = Noise(random), Found = Noise(p.Mask.Size, random),
        })], new GateOptions());
        Assert.InRange(blind.WrongMasksRefused, 0, 0.15);
        Assert.InRange(blind.RealAgreement, 0.4, 0.6);
    }

    [Fact]
    public void Judge_NamesTheOriginalOfACopy()
    {
        var copy = Unseen.First() with
        {
            Image = Pictures.Mirrored(_pairs[7].Image), Mask = _pairs[7].Mask, Found = _pairs[7].Found,
        };
        var reason = Assert.Single(Gate().Judge([copy], 1, GateSelection.InOrder)[0].Reasons, r => r.Kind == "copy");
        Assert.Contains(_pairs[7].Id, reason.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Judge_RefusesWhatLooksLikeNoRealImage()
    {
        var verdict = Assert.Single(Gate().Judge([Unseen.First() with
        {
            Image = Noise(new Seed(2).Random()),
        }], 1, GateSelection.InOrder));
        Assert.Contains(verdict.Reasons, r => r.Kind == "outlier");
        Assert.StartsWith("refused: ", verdict.Line, StringComparison.Ordinal);
    }

    [Fact]
    public void Judge_RefusesAMaskWithoutABorderInTheImage()
    {
        var flat = new RgbImage(new ImageSize(32, 32));
        Array.Fill(flat.Pixels, (byte)120);
        Assert.Contains(Gate().Judge([Unseen.First() with
        {
            Image = flat,
        }], 1, GateSelection.InOrder)[0].Reasons, r => r.Kind == "contrast");
    }

    [Theory]
    [InlineData(0, "less than any real one")]
    [InlineData(1, "less than any real one")]
    [InlineData(1024, "more than any real one")]
    public void Judge_RefusesMasksUnlikeRealOnes(int pixels, string expected)
    {
        var mask = new LabelMap(new ImageSize(32, 32));
        Array.Fill(mask.Labels, (byte)1, 0, pixels);
        var reason = Assert.Single(Gate().Judge([Unseen.First() with
        {
            Mask = mask,
        }], 1, GateSelection.InOrder)[0].Reasons, r => r.Kind == "mask");
        Assert.Contains(expected, reason.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Judge_KeepsTheFirstOrTheHardest_OfThoseThatPass()
    {
        var gate = Gate();
        var inOrder = gate.Judge(Unseen, 10, GateSelection.InOrder);
        Assert.Equal(inOrder.Where(v => v.Reasons.Count == 0).Take(10), inOrder.Where(v => v.Kept));
        var hardest = gate.Judge(Unseen, 10, GateSelection.Difficulty);
        var passed = hardest.Where(v => v.Reasons.Count == 0).OrderByDescending(v => v.Difficulty).ToList();
        Assert.Equal(passed.Take(10).Select(v => v.Id).Order(), hardest.Where(v => v.Kept).Select(v => v.Id).Order());
        Assert.Equal("passed, not needed", passed[^1].Line);
    }

    [Fact]
    public void Judge_OfAPair_DoesNotHangOnTheOthers()
    {
        var gate = Gate();
        var together = gate.Judge(Unseen, 60, GateSelection.InOrder);
        var alone = Unseen.Select(p => gate.Judge([p], 1, GateSelection.InOrder)[0]).ToList();
        Assert.Equal(together.Select(v => (v.Id, v.Line, v.Agreement, v.Difficulty)),
            alone.Select(v => (v.Id, v.Line, v.Agreement, v.Difficulty)));
    }

    [Fact]
    public void Agreement_IsTheChanceThatAPixelInsideRanksAboveOneOutside()
    {
        var size = new ImageSize(5, 1);
        // By hand: inside 30 and 10 against outside 20, 10, 0: wins 3 and 1.5 of 3 each.
        Assert.Equal(4.5 / 6, PairMeasurement.AgreementOf(new LabelMap(size, [1, 1, 0, 0, 0]),
            new ProbabilityMap(size, [30, 10, 20, 10, 0])), 12);
        Assert.Equal(1, PairMeasurement.AgreementOf(new LabelMap(size, [1, 1, 1, 1, 1]),
            new ProbabilityMap(size, [0, 0, 0, 0, 0])));
        Assert.Equal(0.8, PairMeasurement.AgreementOf(new LabelMap(size, [0, 0, 0, 0, 0]),
            new ProbabilityMap(size, [200, 0, 0, 0, 100])), 12);
    }

    private QualityGate Gate() => new([.. _pairs.Take(60)], new GateOptions());

    // A timid network: sees the lesion as a faint smear with noise, and sometimes hardly at all.
    private static ProbabilityMap Network(LabelMap mask, int index)
    {
        var random = new Seed(3).Derive(index).Random();
        var strength = 5 + 60 * random.Uniform(0, 1);
        return new(mask.Size,
            [.. mask.Labels.Select(l => (byte)Math.Clamp(40 + (l != 0 ? strength : 0) + 15 * random.Normal(), 0, 120))]);
    }

    private static RgbImage Noise(SeededRandom random)
    {
        var image = new RgbImage(new ImageSize(32, 32));
        for (var i = 0; i < image.Pixels.Length; i++) image.Pixels[i] = (byte)random.Next(256);
        return image;
    }

    private static ProbabilityMap Noise(ImageSize size, SeededRandom random)
        => new(size, [.. Enumerable.Range(0, size.Width * size.Height).Select(_ => (byte)random.Next(256))]);
}
