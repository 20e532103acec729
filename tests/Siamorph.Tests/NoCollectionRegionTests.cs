using System.Runtime;

namespace Siamorph.Tests;

public class NoCollectionRegionTests
{
    [Fact]
    public void WithinALoop_NothingIsCollected_UntilAStepIsDone()
    {
        using (var heap = NoCollectionRegion.Enter())
        {
            Assert.Equal(GCLatencyMode.NoGCRegion, GCSettings.LatencyMode);
            var before = GC.CollectionCount(0);
            Allocate(16 << 20);
            Assert.Equal(before, GC.CollectionCount(0));
            Allocate(24 << 20);
            heap.StepDone();
            Assert.True(GC.CollectionCount(0) > before);
            Assert.Equal(GCLatencyMode.NoGCRegion, GCSettings.LatencyMode);
        }
        Assert.NotEqual(GCLatencyMode.NoGCRegion, GCSettings.LatencyMode);
    }

    [Fact]
    public void WithoutTheSwitch_TheProcessIsLeftAlone()
    {
        AppContext.SetSwitch(NoCollectionRegion.SwitchName, false);
        try
        {
            using var heap = NoCollectionRegion.Enter();
            Assert.NotEqual(GCLatencyMode.NoGCRegion, GCSettings.LatencyMode);
            heap.StepDone();
            Assert.NotEqual(GCLatencyMode.NoGCRegion, GCSettings.LatencyMode);
        }
        finally
        {
            AppContext.SetSwitch(NoCollectionRegion.SwitchName, true);
        }
    }

    [Fact]
    public void NestedLoops_AndTooMuchMemory_AreHarmless()
    {
        using (var outer = NoCollectionRegion.Enter())
        {
            using (var inner = NoCollectionRegion.Enter()) inner.StepDone();
            Allocate(200 << 20);
            outer.StepDone();
        }
        Assert.NotEqual(GCLatencyMode.NoGCRegion, GCSettings.LatencyMode);
    }

    private static void Allocate(int bytes)
    {
        for (var i = 0; i < bytes / 1024; i++) GC.KeepAlive(new byte[1000]);
    }
}
