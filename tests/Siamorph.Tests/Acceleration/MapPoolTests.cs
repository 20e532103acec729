using Siamorph.Acceleration;
using static TorchSharp.torch;

namespace Siamorph.Tests.Acceleration;

// Sizes that no other test asks for.
public class MapPoolTests
{
    [Fact]
    public void AMapThatIsDisposed_IsHandedOutAgain_AndAViewOfItKeepsIt()
    {
        using var scope = NewDisposeScope();
        const long Floats = 3 * 101 * 1009;
        var first = MapPool.Empty(3, 101, 1009);
        first.fill_(1);
        var address = AddressOf(first);
        var view = first.narrow(0, 0, 1);
        first.Dispose();
        Assert.Equal(0, MapPool.Waiting(Floats));
        Assert.Equal(1, view.mean().item<float>());
        view.Dispose();
        Assert.Equal(1, MapPool.Waiting(Floats));
        using var again = MapPool.EmptyLike(ones(3, 101, 1009));
        Assert.Equal(address, AddressOf(again));
        Assert.Equal([3, 101, 1009], again.shape);
        Assert.Equal(ScalarType.Float32, again.dtype);
        Assert.True(again.is_contiguous() && !again.requires_grad);
        Assert.Equal(0, MapPool.Waiting(Floats));
    }

    [Fact]
    public void WhatNoMapHasWantedForLong_GoesBack()
    {
        using var scope = NewDisposeScope();
        MapPool.Empty(7, 31, 3001).Dispose();
        Assert.Equal(1, MapPool.Waiting(7 * 31 * 3001));
        for (var i = 0; i <= 20_000; i++) MapPool.Empty(7, 31, 3011).Dispose();
        Assert.Equal(1, MapPool.Waiting(7 * 31 * 3011)); // one and the same
        MapPool.Empty(7, 31, 3019).Dispose(); // another size, for which memory has to be asked for
        Assert.Equal(0, MapPool.Waiting(7 * 31 * 3001));
        Assert.Equal(1, MapPool.Waiting(7 * 31 * 3011));
    }

    [Fact]
    public void SmallMaps_AreLibtorchs()
    {
        using var scope = NewDisposeScope();
        MapPool.Empty(8, 8).Dispose();
        Assert.Equal(0, MapPool.Waiting(64));
    }

    private static unsafe nint AddressOf(Tensor t)
    {
        fixed (byte* data = t.bytes) return (nint)data;
    }
}
