using Siamorph.Cli;
using Siamorph.Tests.Cases;



namespace Siamorph.Tests.Cli;

public sealed class NumberTextTests
{
    [Theory]
    [InlineData("0.001", 0.001)]
    [InlineData("1e-3", 0.001)]
    [InlineData("-2.5E+1", -25)]
    [InlineData(".5", 0.5)]
    [InlineData("1000", 1000)]
    public void Number_TypedWithAPoint_IsRead(string text, double expected) =>
        Assert.Equal(expected, NumberText.Parse(text, typeof(double)));

    [Theory]
    [InlineData("0,001")]
    [InlineData("1,000")]
    [InlineData("1,000,000")]
    [InlineData("1 000")]
    [InlineData("1_000")]
    [InlineData("1'000")]
    [InlineData("1.000.000")]
    [InlineData("0x10")]
    [InlineData("(5)")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("∞")]
    [InlineData("1e999")]
    [InlineData(" 5")]
    [InlineData("５")]
    [InlineData("")]
    public void Number_TypedOtherwise_IsRefused(string text)
    {
        foreach (var type in new[] { typeof(double), typeof(float), typeof(int), typeof(long), typeof(ulong) })
            Assert.Throws<FormatException>(() => NumberText.Parse(text, type));
    }

    [Theory]
    [InlineData("1.5", typeof(int))]
    [InlineData("3000000000", typeof(int))]
    [InlineData("-1", typeof(ulong))]
    public void WholeNumber_OutOfItsType_IsRefused(string text, Type type) =>
        Assert.Throws<FormatException>(() => NumberText.Parse(text, type));

    [Theory]
    [InlineData("0.001", "train", "data", "--out", "r", "--base-learning-rate", "0,001", "--dry-run")]
    [InlineData("1.5", "synthesize", "run", "--masks", "m", "--out", "x", "--guidance", "1,5", "--dry-run")]
    [InlineData("1.5", "segment", "train", "data", "--out", "r", "--augmentation-rotation", "1,5", "--dry-run")]
    [InlineData("1000", "segment", "train", "data", "--out", "r", "--steps", "1 000", "--dry-run")]
    [InlineData("1.0", "experiment", "data", "--out", "r", "--jobs", "1,0")]
    [InlineData("2.0", "data", "check", "data", "--threads", "2,0")]
    public void Flag_WithADecimalComma_IsRefusedWithTheRightSpelling(string meant, params string[] arguments)
    {
        var (exitCode, output, error) = CommandLine.Run(arguments);
        Assert.Equal(2, exitCode);
        Assert.Empty(output);
        Assert.Contains(meant, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void OptionsFile_WithNoNumber_IsRefused()
    {
        using var folder = new TemporaryFolder();
        foreach (var value in new[] { "\"NaN\"", "\"0,001\"", "1e999" })
        {
            File.WriteAllText(folder["o.json"], $$"""{ "base": { "learningRate": {{value}} } }""");
            var (exitCode, _, error) = CommandLine.Run("train", "data", "--out", folder["r"], "--options", folder["o.json"],
                "--dry-run");
            Assert.Equal(2, exitCode);
            Assert.Contains("learningRate", error, StringComparison.Ordinal);
        }
    }
}
