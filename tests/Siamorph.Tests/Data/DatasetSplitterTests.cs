using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Data.Splits;
using Siamorph.Tests.Imaging;

namespace Siamorph.Tests.Data;

public sealed class DatasetSplitterTests : IDisposable
{
    private static readonly SplitOptions ByNameOnly = new() { KeepNearDuplicates = false };
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Shares_AreMet_AndEveryPairHasASplit()
    {
        var split = DatasetSplitter.Split(Made(100), ByNameOnly);
        Assert.Equal([("test", 10), ("train", 80), ("val", 10)], Sizes(split));
    }

    [Fact]
    public void Division_DependsOnTheSeed_NotOnTheOrder()
    {
        var dataset = Made(60);
        var reversed = dataset with { Pairs = [.. dataset.Pairs.Reverse()] };
        Assert.Equal(Division(DatasetSplitter.Split(dataset, ByNameOnly)), Division(DatasetSplitter.Split(reversed, ByNameOnly)));
        Assert.NotEqual(
            Division(DatasetSplitter.Split(dataset, ByNameOnly)),
            Division(DatasetSplitter.Split(dataset, ByNameOnly with { Seed = new Seed(2) })));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(13)]
    public void Groups_StayTogether_AndSharesAreNear(int groupSize)
    {
        var dataset = Made(200);
        dataset = dataset with { Pairs = [.. dataset.Pairs.Select((p, i) => p with { Group = $"g{i / groupSize}" })] };
        var split = DatasetSplitter.Split(dataset, ByNameOnly);
        Assert.All(split.Pairs.GroupBy(p => p.Group), g => Assert.Single(g.Select(p => p.Split).Distinct()));
        Assert.InRange(split.Pairs.Count(p => p.Split == "train"), 160 - groupSize, 160 + groupSize);
        Assert.InRange(split.Pairs.Count(p => p.Split == "test"), 20 - groupSize, 20 + groupSize);
    }

    [Fact]
    public void NoSplit_IsLeftEmpty_WhereThereAreEnoughUnits()
    {
        Assert.Equal(3, Sizes(DatasetSplitter.Split(Made(3), ByNameOnly)).Count);
        var message = Assert.Throws<InvalidDatasetException>(() => DatasetSplitter.Split(Made(2), ByNameOnly)).Message;
        Assert.Contains("2 independent units", message, StringComparison.Ordinal);
        Assert.Equal([("train", 2)], Sizes(DatasetSplitter.Split(Made(2), ByNameOnly with { Train = 1, Val = 0, Test = 0 })));
    }

    [Fact]
    public void Lookalikes_StayTogether()
    {
        for (var i = 0; i < 8; i++)
        {
            Pictures.WritePair(_folder.Path, $"{i}", i);
            Pictures.WriteJpeg(_folder["images", $"{i}-again.jpg"], Pictures.Image(i), 85);
            File.Copy(_folder["masks", $"{i}.png"], _folder["masks", $"{i}-again.png"]);
        }
        var dataset = DatasetFolder.Read(_folder.Path);
        for (ulong seed = 0; seed < 3; seed++)
        {
            var split = DatasetSplitter.Split(dataset, new SplitOptions
            {
                Train = 0.5, Val = 0.25, Test = 0.25, Seed = new Seed(seed),
            });
            Assert.All(split.Pairs.GroupBy(p => p.Id[..1]), g => Assert.Single(g.Select(p => p.Split).Distinct()));
        }
    }

    [Fact]
    public void GroupTable_SetsGroups()
    {
        File.WriteAllText(_folder["groups.csv"], "stem,sequence\np000,s1\np001,s1\np002,s2\n");
        Assert.Contains("p003", Assert.Throws<InvalidDatasetException>(() =>
            DatasetSplitter.WithGroups(Made(4), _folder["groups.csv"])).Message, StringComparison.Ordinal);
        var grouped = DatasetSplitter.WithGroups(Made(4), _folder["groups.csv"], new() { AllowPartial = true });
        Assert.Equal("3 of 4 pairs got one of 2 groups, by the columns 'stem' and 'sequence'.", grouped.ToString());
        var dataset = grouped.Dataset;
        Assert.Equal(["s1", "s1", "s2", null], dataset.Pairs.Select(p => p.Group));
        File.WriteAllText(_folder["groups.csv"], "stem,sequence\nother,s1\n");
        Assert.Throws<InvalidDatasetException>(() => DatasetSplitter.WithGroups(Made(4), _folder["groups.csv"]));
        File.WriteAllText(_folder["groups.csv"], "stem,sequence\nonly\n");
        Assert.Contains("line 2", Assert.Throws<InvalidDatasetException>(() =>
            DatasetSplitter.WithGroups(Made(4), _folder["groups.csv"])).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidDatasetException>(() => DatasetSplitter.WithGroups(Made(4), _folder["none.csv"]));
    }

    [Fact]
    public void SequencesOfARealSet_StayTogether()
    {
        var dataset = DatasetFolder.Read(SharedMaterial.Path("data", "cvc_clinicdb"));
        dataset = DatasetSplitter.WithGroups(dataset, SharedMaterial.Path("data", "meta", "cvc_clinicdb_sequences.csv"), new()
        {
            AllowPartial = true,
        }).Dataset;
        var split = DatasetSplitter.Split(dataset, ByNameOnly);
        Assert.All(split.Pairs, p => Assert.NotNull(p.Group));
        Assert.All(split.Pairs.GroupBy(p => p.Group), g => Assert.Single(g.Select(p => p.Split).Distinct()));
        Assert.Equal(3, Sizes(split).Count);
    }

    [Fact]
    public void Options_ListEveryFault()
    {
        var message = Assert.Throws<InvalidOptionsException>(() => new SplitOptions { Train = -1, Val = 3 }.Validate()).Message;
        foreach (var part in new[] { "train is", "val is", "together" }) Assert.Contains(part, message, StringComparison.Ordinal);
    }

    private static Dataset Made(int count) => new("/none", [.. Enumerable.Range(0, count).Select(i => new ImageMaskPair
    {
        Id = $"p{i:D3}",
        ImagePath = $"/none/images/p{i:D3}.png",
        MaskPath = $"/none/masks/p{i:D3}.png",
    })]);

    private static List<(string, int)> Sizes(Dataset split) =>
        [.. split.Pairs.CountBy(p => p.Split!).Select(s => (s.Key, s.Value)).OrderBy(s => s.Key, StringComparer.Ordinal)];

    private static SortedDictionary<string, string> Division(Dataset split) =>
        new(split.Pairs.ToDictionary(p => p.Id, p => p.Split!), StringComparer.Ordinal);
}
