using Siamorph.Evaluation.Statistics;

namespace Siamorph.Tests.Evaluation;

/// <summary>Statistics of readers × images: published numbers, and studies of readers that only guess.</summary>
public sealed class ReaderStatisticsTests
{
    [Theory]
    [InlineData(470, 768, 0.577, 0.646, 3)]
    [InlineData(81, 263, 0.2553, 0.3662, 4)] // Newcombe 1998, table I
    [InlineData(0, 20, 0, 0.1611, 4)]
    [InlineData(20, 20, 1 - 0.1611, 1, 4)]
    public void Wilson_OfPublishedCounts_IsThePublishedInterval(int successes, int trials, double low, double high, int digits)
    {
        var interval = WilsonInterval.Of(successes, trials);
        Assert.Equal((low, high), (Math.Round(interval.Low, digits), Math.Round(interval.High, digits)));
    }

    [Fact]
    public void SignalDetection_OfLogLinearRates_IsKnown()
    {
        var found = SignalDetection.Of(779, 1500, 498, 1500);
        Assert.Equal((0.4825, 0.193), (Math.Round(found.Sensitivity, 4), Math.Round(found.Criterion, 3)));
        Assert.Equal(0, SignalDetection.Of(3, 10, 3, 10).Sensitivity, 9);
        Assert.True(double.IsFinite(SignalDetection.Of(10, 10, 0, 10).Sensitivity)); // perfect, and still a number
    }

    [Fact] // the table of Fleiss 1971 as in statsmodels' tests
    public void FleissKappa_OfHisTable_IsHis()
    {
        int[][] table =
        [
            [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
        ];
        Assert.Equal(0.2099, Math.Round(Kappa.Fleiss(table), 4));
        Assert.True(double.IsNaN(Kappa.Fleiss([[3, 0], [3, 0]])));
        Assert.Equal(1, Kappa.Fleiss([[3, 0], [0, 3]]));
    }

    [Fact] // by hand: mean squared distances are 1.25 seen, 2.5 by chance
    public void WeightedKappa_OfFourPairs_IsTheOneByHand()
    {
        Assert.Equal(1 - 1.25 / 2.5, Kappa.Weighted([(1, 1), (2, 2), (3, 4), (4, 2)], 4), 12);
        Assert.Equal(1, Kappa.Weighted([(1, 1), (6, 6)], 6), 12);
        Assert.True(double.IsNaN(Kappa.Weighted([(2, 2), (2, 2)], 6)));
    }

    [Fact] // Shrout and Fleiss 1979, table 2: six subjects, four judges
    public void IntraclassCorrelation_OfShroutAndFleiss_IsTheirs()
    {
        double[][] judges = [[9, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7]];
        var found = IntraclassCorrelation.Of(judges);
        Assert.Equal((0.290, 0.620), (Math.Round(found.Single, 3), Math.Round(found.Mean, 3)));
    }

    [Fact]
    public void Auc_CountsEqualRatingsHalf()
    {
        Assert.Equal((1 + 1 + 1 + 0.5) / 4, RankAuc.Of([3, 2], [1, 2]), 12);
        Assert.Equal(0.5, RankAuc.Of([1, 1, 1], [1, 1]));
        Assert.Equal(1, RankAuc.Of([5, 6], [1, 2, 3]));
    }

    [Fact] // one reader has no spread of readers: DeLong's variance of an area is left
    public void CrossedAuc_OfOneReader_HasDeLongsError()
    {
        double[] scores = [1, 2, 2, 3, 4, 2, 3, 5, 6, 6];
        bool[] positive = [false, false, false, false, false, true, true, true, true, true];
        double[] wins = [0.4, 0.7, 1, 1, 1], losses = [1, 0.9, 0.9, 0.7, 0.6];
        var found = RankAuc.Crossed([scores], positive);
        Assert.Equal(RankAuc.Of(scores[5..], scores[..5]), found.Value, 12);
        Assert.Equal(Math.Sqrt(Variance(wins) / 5 + Variance(losses) / 5), found.StandardError, 12);
    }

    [Fact] // three readers, two real and two synthetic images
    public void CrossedVariance_OfASmallTable_IsTheOneByHand()
    {
        // By hand: MS_R = 1/4, MS_C = 5/6, MS_E = 1/12; (1/4 + 5/6 − 1/12) / 12 = 1/12; 1 / (1/32 + 25/72 + 1/576) = 576/219.
        var found = CrossedMean.Of([[1, 0, 1, 1], [1, 0, 1, 0], [1, 0, 0, 0]], [0, 0, 1, 1], [0.5, 0.5]);
        Assert.Equal(0.5, found.Value, 12);
        Assert.Equal(Math.Sqrt(1 / 12.0), found.StandardError, 12);
        Assert.Equal(576 / 219.0, found.DegreesOfFreedom, 9);
    }

    [Fact] // images alike: by hand MS_R = 1/3, MS_C = 0, MS_E above both
    public void CrossedVariance_IsNeverBelowThatOfReaders()
    {
        var found = CrossedMean.Of([[1, 0, 1, 0], [0, 1, 0, 1], [1, 1, 1, 1]], [0, 0, 1, 1], [0.5, 0.5]);
        Assert.Equal(Math.Sqrt(1 / 36.0), found.StandardError, 12);
        Assert.Equal(2, found.DegreesOfFreedom);
    }

    [Fact]
    public void Difference_OfKinds_HasTheSignAndTheDoubledError()
    {
        double[][] scores = [[1, 0, 1, 1], [1, 0, 1, 0], [1, 0, 0, 0]];
        var (half, whole) = (CrossedMean.Of(scores, [0, 0, 1, 1], [-0.5, 0.5]), CrossedMean.Of(scores, [0, 0, 1, 1], [-1, 1]));
        Assert.Equal(0, whole.Value, 12);
        Assert.Equal(2 * half.StandardError, whole.StandardError, 12);
        Assert.Equal(1, whole.P(0), 9);
        Assert.Equal(1.5, CrossedMean.Of([[1, 2], [1, 2]]).Value);
    }

    [Fact]
    public void CrossedVariance_IsWiderThanTheBinomial_WhereReadersDiffer()
    {
        var (right, synthetic) = Answers(new Seed(5), talent: 0.8, bias: 0, looks: 0.8);
        var found = ReaderAccuracy.Of(right, synthetic, 0.1);
        var naive = WilsonInterval.Of(right.Sum(r => r.Count(x => x)), 8 * 60);
        Assert.True(found.Interval95.High - found.Interval95.Low > 1.3 * (naive.High - naive.Low));
    }

    [Fact]
    public void AllRight_KeepsAnInterval()
    {
        bool[][] right = [[true, true, true, true], [true, true, true, true]];
        var found = ReaderAccuracy.Of(right, [false, false, true, true], 0.1);
        Assert.Equal(1, found.Interval95.High);
        Assert.InRange(found.Interval95.Low, 0.3, 0.6);
    }

    [Theory]
    [InlineData(0.50, 0.02, nameof(Discrimination.NoBetterThanChance))]
    [InlineData(0.56, 0.015, nameof(Discrimination.Both))]
    [InlineData(0.70, 0.03, nameof(Discrimination.ToldApart))]
    [InlineData(0.30, 0.03, nameof(Discrimination.ToldApart))]
    [InlineData(0.55, 0.05, nameof(Discrimination.Undecided))]
    public void Verdict_FollowsBothIntervals(double value, double error, string expected)
    {
        var estimate = new CrossedEstimate(value, error, 60, 8, 100);
        Assert.Equal(expected, new ReaderAccuracy(estimate, estimate.At(0.95), estimate.At(0.9), 0.1).Verdict.ToString());
    }

    [Theory] // answers that don't depend on the truth: readers lean to one side, images look more or less synthetic
    [InlineData(0, 0, 8, 60)]
    [InlineData(1, 0, 8, 60)]
    [InlineData(0, 1, 8, 60)]
    [InlineData(1, 1, 8, 60)]
    [InlineData(1, 1, 3, 20)]
    [InlineData(0, 1, 20, 100)]
    public void ChanceReaders_AreSeldomToldApart_AndIntervalsCover(double bias, double looks, int readers, int images)
    {
        var (told, covered, studies) = Simulated(talent: 0, bias, looks, readers, images);
        Assert.True(told <= 0.05 * studies, $"{told} of {studies} studies of chance readers were told apart.");
        Assert.True(covered >= 0.93 * studies, $"{covered} of {studies} intervals cover the truth.");
    }

    [Fact] // some see something, some are misled, on average it is nothing: the spread of readers alone decides
    public void ReadersOfDifferentTalent_AreCovered()
    {
        var (_, covered, studies) = Simulated(talent: 0.5, bias: 0.5, looks: 1);
        Assert.True(covered >= 0.93 * studies, $"{covered} of {studies} intervals cover the truth.");
    }

    [Fact] // areas under the curve of readers who guess on six points, and differences of ratings where there is none
    public void AreasAndDifferences_OfNothing_AreCovered()
    {
        const int studies = 500, readers = 8, images = 60;
        int areas = 0, differences = 0;
        for (var s = 0; s < studies; s++)
        {
            var random = new Seed(17).Derive(s).Random();
            bool[] synthetic = [.. Enumerable.Range(0, images).Select(i => i % 2 == 1)];
            double[] looks = [.. synthetic.Select(_ => 0.7 * random.Normal())];
            double[][] ratings = [.. Enumerable.Range(0, readers).Select(_ =>
            {
                var (leans, sees) = (random.Normal(), 0.3 * random.Normal());
                return looks.Select((l, c) =>
                    Math.Clamp(Math.Round(3.5 + l + leans + (synthetic[c] ? sees : -sees) + random.Normal()), 1, 6)).ToArray();
            })];
            if (!RankAuc.Crossed(ratings, synthetic).At(0.95).Excludes(0.5)) areas++;
            if (!CrossedMean.Of(ratings, [.. synthetic.Select(x => x ? 1 : 0)], [-1, 1]).At(0.95).Excludes(0)) differences++;
        }
        TestContext.Current.SendDiagnosticMessage($"areas covered {areas}, differences {differences} of {studies}");
        Assert.True(areas >= 0.93 * studies, $"{areas} of {studies} intervals of areas cover 0.5.");
        Assert.True(differences >= 0.93 * studies, $"{differences} of {studies} intervals of differences cover 0.");
    }

    private static (int Told, int Covered, int Studies) Simulated(
        double talent, double bias, double looks, int readers = 8, int images = 60)
    {
        const int studies = 500;
        int told = 0, covered = 0;
        for (var s = 0; s < studies; s++)
        {
            var (right, synthetic) = Answers(new Seed(2007).Derive(s), talent, bias, looks, readers, images);
            var found = ReaderAccuracy.Of(right, synthetic, 0.1);
            if (found.Verdict is Discrimination.ToldApart or Discrimination.Both) told++;
            if (!found.Interval95.Excludes(0.5)) covered++;
        }
        TestContext.Current.SendDiagnosticMessage(
            $"{readers} × {images}, talent {talent}, bias {bias}, looks {looks}: told apart {told}, covered "
            + $"{covered} of {studies}");
        return (told, covered, studies);
    }

    private static (bool[][] Right, bool[] Synthetic) Answers(
        Seed seed, double talent, double bias, double looks, int readers = 8, int images = 60)
    {
        var random = seed.Random();
        bool[] synthetic = [.. Enumerable.Range(0, images).Select(i => i % 2 == 1)];
        double[] look = [.. synthetic.Select(_ => looks * random.Normal())];
        return ([.. Enumerable.Range(0, readers).Select(_ =>
        {
            double sees = talent * random.Normal(), leans = bias * random.Normal();
            return synthetic.Select((s, c) => random.Normal() < sees + (s ? 1 : -1) * (look[c] + leans)).ToArray();
        })], synthetic);
    }

    private static double Variance(double[] values) => values.Sum(v => Math.Pow(v - values.Average(), 2)) / (values.Length - 1);
}
