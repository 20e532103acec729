using Siamorph.Reports.Charts;

namespace Siamorph.Tests.Reports;

public sealed class ScaleTests
{
    [Theory]
    [InlineData(0.02, 0.3, "0.02 0.05 0.1 0.2")]
    [InlineData(0.00001, 0.02, "10⁻⁵ 10⁻⁴ 10⁻³ 10⁻²")]
    [InlineData(0.0001, 0.003, "10⁻⁴ 3×10⁻⁴ 10⁻³ 3×10⁻³")]
    [InlineData(1e-14, 1, "10⁻¹² 10⁻⁹ 10⁻⁶ 10⁻³ 10⁰")]
    public void Logarithmic_LabelsWhatHasRoom(double low, double high, string labels)
    {
        var scale = Scale.Logarithmic(low, high, 300, 0);
        Assert.Equal(labels, string.Join(' ', scale.Ticks.Select(scale.Label)));
    }

    [Fact]
    public void Linear_LabelsHaveNoMoreDecimalsThanTheyNeed()
    {
        var scale = Scale.Rounded(-0.13, 0.31, 0, 400);
        Assert.Equal("−0.2 −0.1 0.0 0.1 0.2 0.3 0.4", string.Join(' ', scale.Ticks.Select(scale.Label)));
    }
}
