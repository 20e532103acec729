using Siamorph.Experiment;

namespace Siamorph.Tests.Experiment;

public sealed class DemoTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_GivesImagesOfOtherPatientsWithoutMasks_AndGoesOnWithThem()
    {
        var plan = Demo.Quick with
        {
            Unlabelled = 8, Experiment = Demo.Quick.Experiment with { Arms = ["real", "pseudo-labels"], Seeds = [1] },
        };
        var first = Demo.Run(plan, _folder["demo"], NullMonitor.Instance);
        var given = Assert.Single(first.Data.Unlabelled);
        Assert.Equal(8 - given.LeftOut.Count, given.Count);
        Assert.Equal(8, Directory.GetFiles(_folder["demo", "unlabelled"], "*.png", SearchOption.AllDirectories).Length);
        var own = Directory.GetFiles(_folder["demo", "phantom", "images"]).Select(File.ReadAllBytes).ToList();
        Assert.All(Directory.GetFiles(_folder["demo", "unlabelled", "images"]), path =>
            Assert.DoesNotContain(own, other => other.AsSpan().SequenceEqual(File.ReadAllBytes(path))));
        var written = File.ReadAllBytes(_folder["demo", "results.json"]);
        Demo.Run(plan, _folder["demo"], NullMonitor.Instance);
        Assert.Equal(written, File.ReadAllBytes(_folder["demo", "results.json"]));
    }

    [Fact]
    public void With_AnotherSeed_IsAboutOtherPatientsAndOtherNetworks()
    {
        var (one, two) = (Demo.Full, Demo.Full.With(2));
        Assert.NotEqual(one.Phantom.Seed, two.Phantom.Seed);
        Assert.Empty(one.Experiment.Seeds.Intersect(two.Experiment.Seeds));
        Assert.NotEqual(one.Experiment.Split.Seed, two.Experiment.Split.Seed);
        Assert.Equal(one.Experiment.Arms, two.Experiment.Arms);
        (two.Experiment with { Data = _folder.Path }).Validate();
    }
}
