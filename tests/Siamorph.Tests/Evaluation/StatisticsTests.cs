using Siamorph.Evaluation.Statistics;

namespace Siamorph.Tests.Evaluation;

public sealed class StatisticsTests
{
    [Theory] // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, upper critical values of Student's t
    [InlineData(0.975, 1, 12.706)]
    [InlineData(0.975, 2, 4.303)]
    [InlineData(0.975, 4, 2.776)]
    [InlineData(0.95, 10, 1.812)]
    [InlineData(0.999, 30, 3.385)]
    [InlineData(0.975, double.PositiveInfinity, 1.960)]
    public void StudentT_Quantile_IsThatOfTheTables(double share, double df, double expected)
    {
        Assert.Equal(expected, StudentT.Quantile(share, df), 0.0006);
        Assert.Equal(share, StudentT.Cdf(StudentT.Quantile(share, df), df), 1e-9);
        Assert.Equal(-StudentT.Quantile(share, df), StudentT.Quantile(1 - share, df), 1e-6);
    }

    [Fact] // Depression scores of Hollander and Wolfe (1973), 29 f.; R, help page of wilcox.test: V = 40, one-sided p = 0.01953
    public void SignedRank_OfHollanderAndWolfe_IsTheirs()
    {
        double[] x = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30],
        y = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
        var test = SignedRankTest.Run(x.Zip(y, (a, b) => a - b));
        Assert.True(test.Exact);
        Assert.Equal(40, test.Statistic);
        Assert.Equal(2 * 0.01953, test.P, 0.00002);
    }

    [Fact] // Darwin's cross- and self-fertilised maize as in scipy's documentation of stats.wilcoxon: p = 0.041259765625
    public void SignedRank_OfDarwinsMaize_IsScipys()
    {
        var test = SignedRankTest.Run([6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75]);
        Assert.Equal(120 - 24, test.Statistic); // scipy gives the smaller of both sums
        Assert.Equal(0.041259765625, test.P, 1e-12);
    }

    [Fact]
    public void SignedRank_WithTiesAndZeros_CountsAllSigns()
    {
        // By hand: sizes 1, 1, 2 have ranks 1.5, 1.5, 3; all positive is one of 8 ways, and as many lie on the other side.
        var test = SignedRankTest.Run([0, 1, 1, 2, 0]);
        Assert.Equal((6.0, 3, 0.25), (test.Statistic, test.N, test.P));
        Assert.Equal(1, SignedRankTest.Run([0, 0]).P);
        Assert.Equal(1, SignedRankTest.Run([1, -1]).P);
        Assert.Equal(1, test.RankBiserial);
    }

    [Fact]
    public void SignedRank_JustAboveTheExactLimit_AgreesWithJustBelow()
    {
        var random = new Seed(3).Random();
        var values = Enumerable.Range(0, 51).Select(_ => 0.3 + random.Normal()).ToArray();
        var (exact, normal) = (SignedRankTest.Run(values[..50]), SignedRankTest.Run([.. values[..50], 1e-9]));
        Assert.True(exact.Exact && !normal.Exact);
        Assert.Equal(exact.P, normal.P, 0.01);
    }

    [Fact] // Wikipedia, "Holm–Bonferroni method", example: p = 0.01, 0.04, 0.03, 0.005
    public void Holm_OfTheUsualExample_IsItsResult()
        => Assert.Equal([0.03, 0.06, 0.06, 0.02],
        HolmCorrection.Adjust([0.01, 0.04, 0.03, 0.005]).Select(p => Math.Round(p, 12)));

    [Fact]
    public void Effect_AndSuperiority_AreWhatTheirNamesSay()
    {
        Assert.Equal(2, PairedEffect.Standardised([1.0, 2, 3]), 12); // mean 2, deviation 1
        Assert.Equal(0.625, PairedEffect.Superiority([0.1, 0.2, 0, -0.1]));
    }
}
