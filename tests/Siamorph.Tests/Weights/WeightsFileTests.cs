using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests.Weights;

public sealed class WeightsFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("alex", "64,192,384,256,256")]
    [InlineData("squeeze", "64,128,256,384,384,512,512")]
    [InlineData("vgg", "64,128,256,512,512")]
    public void LegacyFileOfPyTorch_ReadsItsTensors(string name, string channels)
    {
        using var scope = NewDisposeScope();
        using var file = WeightsFile.Open(SharedMaterial.Path("weights", "lpips_lin_v0.1", $"{name}.pth"));
        Assert.Equal(WeightsFormat.TorchLegacy, file.Format);
        var expected = channels.Split(',').Select(long.Parse).ToArray();
        Assert.Equal(expected.Select((_, i) => $"lin{i}.model.1.weight"), file.Names);
        Assert.Equal(expected.Select(c => new long[] { 1, c, 1, 1 }), file.Entries.Select(e => e.Shape));
        Assert.All(file.ReadAll().Values, t => Assert.True((t >= 0).all().item<bool>() && (t.sum() > 0).item<bool>()));
    }
}
