using System.Text.Json.Nodes;
using Siamorph.Imaging;
using Siamorph.Training;

namespace Siamorph.Tests.Training;

public sealed class OptionsFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public enum Colour { DarkRed, Blue }

    public sealed record Inner
    {
        public double Rate { get; init; } = 0.5;
    }

    public sealed record Outer
    {
        public int Count { get; init; } = 3;
        public Colour Colour { get; init; }
        public Inner Inner { get; init; } = new();
        public Seed Seed { get; init; } = new(ulong.MaxValue);
        public ImageSize Size { get; init; } = new(64, 48);
        public int? Limit { get; init; }
        public IReadOnlyList<int> Seeds { get; init; } = [1, 2];
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("""{ "count": 1, "count": 2 }""")]
    [InlineData("""{ "count": 1, "Count": 2 }""")]
    [InlineData("""{ "inner": { "rate": 0.1, "RATE": 0.2 } }""")]
    public void OptionThatComesTwice_IsRefused(string json) =>
        Assert.Throws<InvalidOptionsException>(() => Load(json));

    [Fact]
    public void ToJson_Load_GivesTheSame()
    {
        var options = new Outer
        {
            Count = 9, Colour = Colour.Blue, Inner = new Inner { Rate = 0.25 }, Limit = 4, Size = new(5, 7),
        };
        var loaded = Load(OptionsFile.ToJson(options));
        Assert.Equal(options with { Seeds = loaded.Seeds }, loaded);
        Assert.Equal(options.Seeds, loaded.Seeds);
    }

    [Fact]
    public void ToJson_IsReadable()
    {
        var json = OptionsFile.ToJson(new Outer());
        Assert.Contains("\"colour\": \"darkRed\"", json, StringComparison.Ordinal);
        Assert.Contains("\"size\": \"64x48\"", json, StringComparison.Ordinal);
        Assert.Contains("\"seed\": 18446744073709551615", json, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_MissingKeys_KeepTheirDefaults() => Assert.Equal(7, Load("{ \"count\": 7, /* why */ \"inner\": {}, }").Count);

    [Fact]
    public void Load_UnknownKeys_NamesAllAndTheClosest()
    {
        var message = Fault("{ \"cuont\": 7, \"inner\": { \"rat\": 1 }, \"zzzzzzzz\": 0 }");
        Assert.Contains("unknown option 'cuont'; did you mean 'count'?", message, StringComparison.Ordinal);
        Assert.Contains("unknown option 'inner.rat'; did you mean 'inner.rate'?", message, StringComparison.Ordinal);
        Assert.Contains("unknown option 'zzzzzzzz'; known are count, ", message, StringComparison.Ordinal);
        Assert.Equal(3, message.Split('\n').Length);
    }

    [Theory]
    [InlineData("{ \"count\": \"many\" }", "'count'")]
    [InlineData("{ \"colour\": \"green\" }", "'colour'")]
    [InlineData("{ \"size\": \"64x\" }", "'size'")]
    [InlineData("{ \"count\": ", "line 1")]
    [InlineData("[1]", "JSON object")]
    public void Load_WhatDoesNotFit_IsNamed(string json, string word) =>
        Assert.Contains(word, Fault(json), StringComparison.Ordinal);

    [Fact]
    public void Load_NoSuchFile_IsOneLine() =>
        Assert.DoesNotContain('\n', Assert.Throws<InvalidOptionsException>(() =>
            OptionsFile.Load<Outer>(_folder["none.json"])).Message);

    [Fact]
    public void FromJson_NamesItsSource() =>
        Assert.StartsWith("here:", Assert.Throws<InvalidOptionsException>(
            () => OptionsFile.FromJson<Outer>(new JsonObject { ["x"] = 1 }, "here")).Message, StringComparison.Ordinal);

    private string Fault(string json) => Assert.Throws<InvalidOptionsException>(() => Load(json)).Message;

    private Outer Load(string json)
    {
        File.WriteAllText(_folder["options.json"], json);
        return OptionsFile.Load<Outer>(_folder["options.json"]);
    }
}
