using System.Diagnostics;
using System.Globalization;
using Siamorph.Evaluation.ImageSets;
using Siamorph.Imaging;
using static TorchSharp.torch;

namespace Siamorph.Benchmarks;

/// <summary>
/// How many pictures a second go through a feature network: the bare network on prepared tensors, the preparation alone, and
/// both as <c>evaluate images</c> runs them, from files. All in one process, so that they compare:
/// <code>
/// Siamorph.Benchmarks features FOLDER WEIGHTS [COUNT]
/// </code>
/// </summary>
internal static class FeatureRates
{
    private const int Batch = 32;

    public static int Run(string[] arguments)
    {
        if (arguments is not ["features", var folder, var weights, .. var rest])
        {
            Console.Error.WriteLine("features FOLDER WEIGHTS [COUNT]");
            return 2;
        }
        using var network = FeatureNetwork.Load(weights);
        var set = ImageSet.Open(folder);
        if (rest.Length > 0) set = set with { Images = [.. set.Images.Take(int.Parse(rest[0], CultureInfo.InvariantCulture))] };
        var count = set.Images.Count;
        using var some = network.Prepare(ImageFile.ReadRgb(set.Images[0].ImagePath));
        using var batch = some.unsqueeze(0).repeat(Batch, 1, 1, 1);
        network.Features(batch).Dispose();

        var bare = Rate("network alone, prepared tensors", count, () =>
        {
            for (var i = 0; i < count; i += Batch) network.Features(batch[..Math.Min(Batch, count - i)]).Dispose();
        });
        Rate("reading and preparing alone", count,
            () => Parallel.ForEach(set.Images, i => network.Prepare(ImageFile.ReadRgb(i.ImagePath)).Dispose()));
        var all = Rate("files to features", count, () => FeatureExtractor.Network(set, network, null, NullMonitor.Instance));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{all / bare:P0} of the network's own rate; "
            + $"{get_num_threads()} threads, peak memory {ProcessMemory.Peak():N0} MiB"));
        return 0;
    }

    private static double Rate(string what, int count, Action run)
    {
        var watch = Stopwatch.StartNew();
        run();
        var rate = count / watch.Elapsed.TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{what}: {count} pictures in {watch.Elapsed.TotalSeconds:0.0} s, {rate:0.0} a second"));
        return rate;
    }
}
