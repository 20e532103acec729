// Trains a generator on the built-in pictures, draws pairs, trains a segmentation network with them and scores it.
//   dotnet run -c Release --project samples/FromCode -- FOLDER [STEPS]
using System.Globalization;
using Siamorph;
using Siamorph.Data.Phantom;
using Siamorph.Data.Splits;
using Siamorph.Segmentation;
using Siamorph.Siamese;
using Siamorph.Synthesis;

var (folder, steps) = (args[0], args.Length > 1 ? int.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture) : 300);
var monitor = NullMonitor.Instance; // one of your own sees the progress, and may stop the work

var data = DatasetSplitter.Split(PhantomDataset.Write(Path.Combine(folder, "data"), new()
{
    Count = 40,
}, monitor), new(), monitor);
var options = Presets.Tiny with
{
    Base = Presets.Tiny.Base with { Steps = steps }, Siamese = Presets.Tiny.Siamese with { Steps = steps / 2 }, PreviewEvery = 0,
};
using var pairs = options.Load(data.Of("train"), monitor);
var generator = SiameseTrainer.Run(options, pairs, Path.Combine(folder, "generator"), monitor);

var synthetic = Synthesizer.Run(generator.RunFolder, data.Of("train"), new()
{
    ImagesPerMask = 1,
}, Path.Combine(folder, "synthetic"), monitor);

var network = SegmentationOptions.ForExperiments with { Steps = steps, ValidateEvery = steps, SyntheticFraction = 0.5 };
using var train = network.Load([.. data.Of("train"), .. synthetic.Pairs], monitor);
using var validation = network.Load(data.Of("val"), monitor);
SegmentationTrainer.Run(network, train, validation, Path.Combine(folder, "network"), monitor);

using var predictor = Predictor.Load(Path.Combine(folder, "network"));
var scores = SegmentationEvaluator.Evaluate(predictor, data.Of("test"), monitor);
Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
    $"Test Dice {scores.Dice:0.000} over {scores.Count} images, with {synthetic.Pairs.Count} synthetic pairs beside "
        + $"{data.Of("train").Count} real ones."));
