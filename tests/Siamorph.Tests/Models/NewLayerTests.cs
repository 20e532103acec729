using Siamorph.Models;
using Siamorph.Siamese;
using Siamorph.Siamese.WeightFiles;
using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Tests.Models;

public class NewLayerTests
{
    [Fact]
    public void WithoutNumbers_HoldsForTheLayersOfThisThreadAlone()
    {
        var (own, other, tensor) = NewLayer.WithoutNumbers(() =>
        {
            var other = DeviceType.META;
            var thread = new Thread(() => other = Device());
            thread.Start();
            thread.Join();
            using var scope = NewDisposeScope();
            return (Device(), other, ones(1).device_type);
        });
        Assert.Equal((DeviceType.META, DeviceType.CPU, DeviceType.CPU, DeviceType.CPU), (own, other, tensor, Device()));
    }

    [Fact]
    public void AfterAnException_LayersHaveNumbersAgain()
    {
        var impossible = new DenoiserConfig { ModelChannels = 33 };
        Assert.Throws<InvalidOptionsException>(() => NewLayer.WithoutNumbers(() => new SiameseModel(impossible)));
        Assert.Equal(DeviceType.CPU, Device());
    }

    [Fact]
    public void ListingThePapersKeys_TakesNoMemory()
    {
        var (before, peak) = (DisposeScopeManager.Statistics.ThreadTotalLiveCount, Peak());
        var keys = CheckpointKeys.Of("sd15");
        Assert.True(keys.Sum(k => k.Shape.Aggregate(1L, (a, b) => a * b)) > 1_000_000_000);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Assert.True(Peak() - peak < 1_000_000_000, $"{Peak() - peak} bytes more"); // in numbers it would be 5.6 GB
    }

    private static long Peak()
    {
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }

    private static DeviceType Device()
    {
        using var layer = NewLayer.Linear(2, 3);
        return layer.weight!.device_type;
    }
}
