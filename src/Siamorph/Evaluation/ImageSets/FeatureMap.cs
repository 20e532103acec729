using static TorchSharp.torch;

namespace Siamorph.Evaluation.ImageSets;

// Places of images on the plane of the two largest principal components of both sets together.
internal static class FeatureMap
{
    private const int Most = 2000; // points of each set that a page can bear

    public static IReadOnlyList<MapPoint> Of(
        Tensor real, Tensor synthetic, IReadOnlyList<string> realIds, IReadOnlyList<string> syntheticIds)
    {
        using var scope = NewDisposeScope();
        Tensor x = Thin(real), y = Thin(synthetic), all = cat([x, y], 0), mean = all.mean([0]), centred = all - mean;
        var count = (int)Math.Min(2, centred.shape[1]);
        // The smaller of the two Gram matrices has the same components.
        Tensor places;
        if (centred.shape[1] <= centred.shape[0])
        {
            var (_, vectors) = linalg.eigh(centred.t().mm(centred));
            places = centred.mm(vectors[.., (int)(centred.shape[1] - count)..].flip(1));
        }
        else
        {
            var (values, vectors) = linalg.eigh(centred.mm(centred.t()));
            var size = (int)centred.shape[0];
            places = (vectors[.., (size - count)..] * values[(size - count)..].clamp_min(0).sqrt()).flip(1);
        }
        // The sign of a component is arbitrary: the first set's mean lies on the left and below.
        places = places * where(places[..(int)x.shape[0]].mean([0]) > 0, tensor(-1.0), tensor(1.0));
        var nearest = cat([Nearest(x, x, 1), Nearest(y, x, 0)], 0).data<double>().ToArray();
        var values2 = places.contiguous().data<double>().ToArray();
        IReadOnlyList<string> names = [.. Thin(realIds), .. Thin(syntheticIds)];
        return [.. names.Select((id, i) =>
            new MapPoint(id, i >= x.shape[0], values2[i * count], count > 1 ? values2[i * count + 1] : 0, nearest[i]))];
    }

    private static Tensor Nearest(Tensor from, Tensor to, int skip)
    {
        using var scope = NewDisposeScope();
        var (values, _) = cdist(from, to).topk(Math.Min(skip + 1, (int)to.shape[0]), 1, largest: false, sorted: true);
        return values.select(1, values.shape[1] - 1).contiguous().MoveToOuterDisposeScope();
    }

    private static Tensor Thin(Tensor all)
    {
        var wanted = Places((int)all.shape[0]).Select(i => (long)i).ToArray();
        return all.index_select(0, tensor(wanted)).to_type(ScalarType.Float64);
    }

    private static IEnumerable<string> Thin(IReadOnlyList<string> all) => Places(all.Count).Select(i => all[i]);

    private static IEnumerable<int> Places(int count) =>
        count <= Most ? Enumerable.Range(0, count) : Enumerable.Range(0, Most).Select(i => (int)((long)i * count / Most));
}
