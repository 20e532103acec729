using Siamorph.Evaluation.Statistics;

namespace Siamorph.Tests.Experiment;

public sealed class PairedComparisonTests
{
    [Fact]
    public void Interval_OfEqualDifferences_IsThatDifference()
    {
        var (low, high, units) = PairedComparison.Interval([[0.1, 0.1, 0.1], [0.1, 0.1, 0.1]], [null, null, null], 200,
            new Seed(1));
        Assert.Equal(0.1, low, 12);
        Assert.Equal(0.1, high, 12);
        Assert.Equal(3, units);
    }

    [Fact]
    public void Interval_HasTheWidthThatTheoryGives()
    {
        // One seed, n independent images of deviation s: the mean has deviation s / √n, the interval ± 1.96 of it.
        var random = new Seed(2).Random();
        var row = Enumerable.Range(0, 400).Select(_ => 0.03 + 0.2 * random.Normal()).ToArray();
        var (low, high, _) = PairedComparison.Interval([row], new string?[400], 4000, new Seed(1));
        var expected = 1.96 * Math.Sqrt(row.Select(x => (x - row.Average()) * (x - row.Average())).Average() / row.Length);
        Assert.InRange((high - low) / 2, 0.93 * expected, 1.07 * expected);
        Assert.InRange(row.Average(), low, high);
    }

    [Fact]
    public void Interval_OfImagesThatBelongTogether_IsWider()
    {
        var random = new Seed(3).Random();
        var ofGroup = Enumerable.Range(0, 20).Select(_ => random.Normal()).ToArray();
        var row = Enumerable.Range(0, 200).Select(i => ofGroup[i / 10]).ToArray();
        var groups = Enumerable.Range(0, 200).Select(i => (string?)$"g{i / 10}").ToArray();
        var (lowAlone, highAlone, _) = PairedComparison.Interval([row], new string?[200], 1000, new Seed(1));
        var (low, high, units) = PairedComparison.Interval([row], groups, 1000, new Seed(1));
        Assert.Equal(20, units);
        Assert.True(high - low > 2 * (highAlone - lowAlone));
    }

    [Fact]
    public void Interval_CountsDisagreementOfSeeds()
    {
        double[] up = [.. Enumerable.Repeat(0.1, 50)], down = [.. Enumerable.Repeat(-0.1, 50)];
        var (low, high, _) = PairedComparison.Interval([up, down], new string?[50], 1000, new Seed(1));
        Assert.Equal(-0.1, low, 12);
        Assert.Equal(0.1, high, 12);
    }

    [Fact]
    public void Interval_IsAFunctionOfTheSeed()
    {
        double[] row = [0.1, -0.2, 0.3, 0.05];
        Assert.Equal(PairedComparison.Interval([row], new string?[4], 500, new Seed(5)),
            PairedComparison.Interval([row], new string?[4], 500, new Seed(5)));
    }

    [Fact]
    public void Interval_OfRaggedRows_IsRefused()
        => Assert.Throws<ArgumentException>(() => PairedComparison.Interval([[0.1], [0.1, 0.2]], [null, null], 100, new Seed(1)));
}
