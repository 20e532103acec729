using Siamorph.Evaluation.Masks;
using Siamorph.Evaluation.Radiomics;
using Siamorph.Imaging;
using static TorchSharp.torch;

namespace Siamorph.Evaluation.ImageSets;

/// <summary>
/// Compares a set of synthetic images with a set of real ones: by a feature network where its weights are given, and always
/// by radiomic and morphological features, which need none. A measure whose file is missing says so.
/// </summary>
public static class ImageSetEvaluator
{
    private const double Shrinkage = 0.1;

    /// <summary>Computes every measure for which there is what it needs.</summary>
    /// <param name="real">Folder of real images, with or without masks.</param>
    /// <param name="synthetic">Folder of synthetic images.</param>
    /// <param name="options">What to use.</param>
    /// <param name="segment">A segmenter trained on real images alone, or null.</param>
    /// <param name="monitor">Sees the stages and may stop.</param>
    /// <exception cref="SiamorphException">A folder, image or weight file can't be used.</exception>
    /// <exception cref="OperationCanceledException">The monitor asked to stop.</exception>
    public static ImageSetEvaluation Evaluate(
        string real, string synthetic, ImageEvaluationOptions options, Func<RgbImage, ProbabilityMap>? segment, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var work = new Work(ImageSet.Open(real), ImageSet.Open(synthetic), options, monitor);
        var least = Math.Min(work.Real.Images.Count, work.Synthetic.Images.Count);
        if (least <= options.Neighbours)
            throw new InvalidDatasetException(
                $"{(work.Real.Images.Count == least ? real : synthetic)}: {least} images are too few to compare; more than "
                    + $"{options.Neighbours} are needed.");
        using var scope = NewDisposeScope();
        work.Network();
        work.Radiomics();
        work.Pairs();
        work.Agreement(segment);
        return work.Result();
    }

    private sealed class Work(ImageSet real, ImageSet synthetic, ImageEvaluationOptions options, IMonitor monitor)
    {
        private readonly List<SetMetric> _measures = [];
        private readonly List<string> _networks = [];
        private readonly List<FeatureSpeed> _speeds = [];
        private IReadOnlyList<ValueDistance> _morphology = [];
        private IReadOnlyList<MapPoint> _map = [];
        private string _mapOf = "";

        public ImageSet Real => real;
        public ImageSet Synthetic => synthetic;
        private string? Cache => options.Cache.Length > 0 ? options.Cache : null;

        public void Network()
        {
            const string needed = "not computed: needs the weight file of a feature network";
            if (options.FeatureWeights.Length == 0)
            {
                Missing("FID", "not computed: needs the weight file of FID-Inception", Better.Lower);
                foreach (var (name, better) in new[] { ("KID", Better.Lower), ("Precision", Better.Higher),
                    ("Recall", Better.Higher), ("Density", Better.Higher), ("Coverage", Better.Higher) })
                    Missing(name, needed, better);
            }
            else
            {
                using var network = FeatureNetwork.Load(options.FeatureWeights);
                network.MoveTo(Placement.On(options.Device));
                var (x, y) = Features(network);
                Distances(network, x, y);
                Map(x, y, $"{network.Name} features");
                if (network is ClipImageTower && options.ClipWeights.Length == 0) Clip(x, y);
            }
            if (options.ClipWeights.Length > 0)
            {
                using var clip = FeatureNetwork.Load(options.ClipWeights);
                    clip.MoveTo(Placement.On(options.Device));
                if (clip is not ClipImageTower)
                    throw new WeightsFormatException(
                        $"{options.ClipWeights}: this is {clip.Name}, not a CLIP image tower. Give that as feature weights.");
                var (x, y) = Features(clip);
                Clip(x, y);
            }
            else if (!_measures.Exists(m => m.Name == "CMMD"))
            {
                Missing("CMMD", "not computed: needs the weight file of a CLIP image tower (ViT-L/14 at 336 pixels for "
                    + "published numbers)", Better.Lower);
                Missing("CLIP-I", "not computed: needs the weight file of a CLIP image tower", Better.Higher);
            }
        }

        public void Radiomics()
        {
            FeatureTable<double> x = FeatureExtractor.Radiomic(real, options.Side, Cache, monitor),
            y = FeatureExtractor.Radiomic(synthetic, options.Side, Cache, monitor);
            Speed("radiomic", x, y);
            Radiomic("FRD-lite", RadiomicTable.WholePicture(x.Rows), RadiomicTable.WholePicture(y.Rows),
                "26 texture features of the whole image");
            Tensor[] plain = [];
            try
            {
                var (a, b) = RadiomicDistance.Standardised(RadiomicTable.WholePicture(x.Rows),
                    RadiomicTable.WholePicture(y.Rows));
                plain = [a, b];
            }
            catch (InvalidOperationException) { } // no complete row
            if (plain.Length > 0) Neighbours("Radiomic ", plain[0], plain[1],
            "of the same features in units of the real deviation");
            if (plain.Length > 0 && _map.Count == 0) Map(plain[0], plain[1], "radiomic features");
            if (!real.HasMasks || !synthetic.HasMasks)
            {
                Missing("FRD-lite of lesions", "not computed: needs masks in both folders", Better.Lower);
                return;
            }
            Radiomic("FRD-lite of lesions", RadiomicTable.Lesion(x.Rows), RadiomicTable.Lesion(y.Rows),
                "26 texture features within the masks");
            _morphology = [.. RadiomicTable.Morphology().Select(m => Morphology(m.Name, m.Value, x.Rows, y.Rows))
                .OfType<ValueDistance>()];
        }

        public void Pairs()
        {
            var counterparts = ImageSet.Counterparts(real, synthetic);
            var groups = synthetic.Images.Where(i => i.SourceMask is not null).GroupBy(i => i.SourceMask)
                .Select(g => (IReadOnlyList<SetImage>)[.. g]).Where(g => g.Count > 1).ToList();
            var paired = counterparts.Select(c => (c.Real, c.Synthetic)).Take(options.Pairs).ToList();
            var within = PairMetrics.Within(groups, options.Pairs, options.Seed.Derive("within a mask"));
            Lpips(paired, within);
            foreach (var (set, name) in new[] { (real, "real"), (synthetic, "synthetic") })
            {
                var pairs = PairMetrics.Within([set.Images], options.Pairs, options.Seed.Derive("ms-ssim"));
                Add($"MS-SSIM among {name} images", PairMetrics.Structural(pairs, options.Side, monitor, $"MS-SSIM ({name})"),
                    $"mean of {pairs.Count} pairs; lower is more varied", Better.Neither);
            }
            if (within.Count > 0)
                Add("MS-SSIM within one mask", PairMetrics.Structural(within, options.Side, monitor, "MS-SSIM within one mask"),
                    $"mean of {within.Count} pairs made from one mask; lower is more varied", Better.Neither);
        }

        public void Agreement(Func<RgbImage, ProbabilityMap>? segment)
        {
            const string name = "Agreement with the mask";
            if (segment is null || !synthetic.HasMasks)
            {
                Missing(name, "not computed: needs "
                    + (segment is null ? "the run folder of a segmenter trained on real images alone"
                        : "masks beside the synthetic pictures"), Better.Higher);
                return;
            }
            Add(name, Agreement(synthetic, segment, "synthetic"), $"mean Dice at 0.5 of {options.Segmenter} on synthetic images",
                Better.Higher);
            if (real.HasMasks) Add("The same on real images", Agreement(real, segment, "real"),
                "for comparison; images that the network was trained on score higher", Better.Neither);
        }

        public ImageSetEvaluation Result() => new()
        {
            Options = options,
            Real = real.Folder,
            Synthetic = synthetic.Folder,
            RealCount = real.Images.Count,
            SyntheticCount = synthetic.Images.Count,
            Networks = _networks,
            Measures = _measures,
            Morphology = _morphology,
            Map = _map,
            MapOf = _mapOf,
            Speeds = _speeds,
        };

        private (Tensor X, Tensor Y) Features(FeatureNetwork network)
        {
            _networks.Add(network.Describe());
            FeatureTable<float> x = FeatureExtractor.Network(real, network, Cache, monitor),
                y = FeatureExtractor.Network(synthetic, network, Cache, monitor);
            Speed(network.Name, x, y);
            return (Stack(x), Stack(y));
        }

        private void Distances(FeatureNetwork network, Tensor x, Tensor y)
        {
            using var stage = monitor.Begin("Distances", 3);
            var inception = network is InceptionNetwork;
            var small = Math.Min(x.shape[0], y.shape[0]) <= x.shape[1]
                ? $"; fewer images than the {x.shape[1]} features, so biased upward" : "";
            if (!inception) Missing("FID",
                $"not computed: needs the weight file of FID-Inception; {network.Name} gives the Fréchet distance below",
                Better.Lower);
            Add(inception ? "FID" : $"Fréchet distance ({network.Name})", FrechetDistance.Between(x, y), network.Preparation
                + small, Better.Lower);
            stage.Report(1);
            var suffix = inception ? "" : $" ({network.Name})";
            Add($"KID{suffix}", KernelDistance.Unbiased(x, y), "unbiased, all images; may be slightly negative", Better.Lower);
            // A subset that is the whole set would hide how much the value varies.
            var half = (int)Math.Max(2, Math.Min(x.shape[0], y.shape[0]) / 2);
            var subsets = KernelDistance.OverSubsets(x, y, Math.Min(options.KidSubsetSize, half), options.KidSubsets,
                options.Seed.Derive("kid"));
            Add($"KID over subsets{suffix}", subsets.Mean,
                string.Create(System.Globalization.CultureInfo.InvariantCulture,
                    $"mean of {subsets.Subsets} subsets of {subsets.SubsetSize}, standard deviation {subsets.Deviation:g3}"),
                    Better.Lower);
            stage.Report(2);
            Neighbours("", x, y, $"of {network.Name} features");
            stage.Report(3);
        }

        private void Clip(Tensor x, Tensor y)
        {
            Add("CMMD", EmbeddingMetrics.Cmmd(x, y), "CLIP embeddings, Gaussian kernel of width 10, biased, times 1000",
                Better.Lower);
            var places = real.Images.Select((image, i) => (image.Id, i)).GroupBy(p => p.Id)
                .ToDictionary(g => g.Key, g => g.First().i);
            List<(int Real, int Synthetic)> pairs =
                [.. synthetic.Images.Select((s, i) => (places.GetValueOrDefault(s.SourceMask ?? s.Id, -1), i))
                .Where(p => p.Item1 >= 0)];
            if (pairs.Count > 0)
                Add("CLIP-I, paired", EmbeddingMetrics.PairedCosine(Rows(x, pairs.Select(p => p.Real)),
                    Rows(y, pairs.Select(p => p.Synthetic))),
                    $"mean cosine of {pairs.Count} synthetic images and their real counterparts", Better.Higher);
            else Missing("CLIP-I, paired",
                "not computed: needs synthetic images generated from the mask of a real image, or with the same name",
                Better.Higher);
            Add("CLIP-I, nearest", EmbeddingMetrics.NearestCosine(x, y), "mean cosine to the nearest real image", Better.Higher);
        }

        private void Lpips(List<(SetImage, SetImage)> paired, IReadOnlyList<(SetImage, SetImage)> within)
        {
            if (options.LpipsTrunk.Length == 0)
            {
                Missing("LPIPS", "not computed: needs the weight files of a trunk (AlexNet, VGG16 or SqueezeNet 1.1) and of the "
                    + "linear layers", Better.Neither);
                return;
            }
            using var distance = PerceptualDistance.Load(options.LpipsTrunk, options.LpipsLinear);
            distance.MoveTo(Placement.On(options.Device));
            _networks.Add($"LPIPS v0.1 {distance.Trunk} ({distance.TrunkSource}, sha256 {distance.TrunkHash[..12]}; linear "
                + $"layers {distance.LinearSource}; Pillow bilinear {options.Side})");
            if (paired.Count > 0) Add("LPIPS to the real counterpart",
                PairMetrics.Perceptual(distance, paired, options.Side, monitor, "LPIPS, paired"), $"mean of {paired.Count} pairs",
                Better.Lower);
            else Missing("LPIPS to the real counterpart",
                "not computed: needs synthetic images generated from the mask of a real image, or with the same name",
                Better.Lower);
            if (within.Count > 0) Add("LPIPS within one mask",
                PairMetrics.Perceptual(distance, within, options.Side, monitor, "LPIPS within one mask"),
                $"mean of {within.Count} pairs made from one mask; higher is more varied", Better.Higher);
            else Missing("LPIPS within one mask",
                "not computed: needs several synthetic images from one mask, recorded in the manifest", Better.Higher);
        }

        private void Radiomic(string name, IEnumerable<double[]> x, IEnumerable<double[]> y, string of)
        {
            try
            {
                var result = RadiomicDistance.Between(x, y, Shrinkage);
                var few = Math.Min(result.Real, result.Synthetic) < 3 * result.Features
                    ? "; few images for so many features: also look at the means alone" : "";
                Add(name, result.Squared, $"squared Fréchet distance of {of} in units of the real deviation, covariance shrunk "
                    + $"by {Shrinkage}; not comparable with FRD{few}", Better.Lower);
                Add($"{name}, means alone", result.MeansOnly, "squared distance of the means", Better.Lower);
            }
            catch (ArgumentException)
            {
                Missing(name, "not computed: needs two images in each set whose features are all defined", Better.Lower);
            }
        }

        private void Neighbours(string prefix, Tensor x, Tensor y, string of)
        {
            if (Math.Min(x.shape[0], y.shape[0]) <= options.Neighbours) return;
            var both = prefix.Length == 0 && Math.Min(x.shape[0], y.shape[0]) > 3;
            var (shares, improved) = both ? NeighbourMetrics.Both(x, y, options.Neighbours)
                : (NeighbourMetrics.Prdc(x, y, options.Neighbours), null);
            Add($"{prefix}Precision", shares.Precision, $"k = {options.Neighbours}, {of}", Better.Higher);
            Add($"{prefix}Recall", shares.Recall, $"k = {options.Neighbours}, {of}", Better.Higher);
            Add($"{prefix}Density", shares.Density!.Value, $"k = {options.Neighbours}, {of}; may exceed 1", Better.Higher);
            Add($"{prefix}Coverage", shares.Coverage!.Value, $"k = {options.Neighbours}, {of}", Better.Higher);
            if (improved is null) return;
            Add("Improved precision", improved.Precision, $"k = {improved.Neighbours}, {of}", Better.Higher);
            Add("Improved recall", improved.Recall, $"k = {improved.Neighbours}, {of}", Better.Higher);
        }

        private static ValueDistance? Morphology(
            string name, Func<double[], double> value, IEnumerable<double[]> x, IEnumerable<double[]> y)
        {
            double[] a = [.. x.Select(value).Where(double.IsFinite)], b = [.. y.Select(value).Where(double.IsFinite)];
            return a.Length == 0 || b.Length == 0 ? null : ValueDistance.Between(name, a, b);
        }

        private double Agreement(ImageSet set, Func<RgbImage, ProbabilityMap> segment, string name)
        {
            double sum = 0;
            using var stage = monitor.Begin($"Segmenting {name} images", set.Images.Count);
            for (var i = 0; i < set.Images.Count; i++)
            {
                monitor.Cancellation.ThrowIfCancellationRequested();
                var (picture, mask) = (set.Images[i].Read(), set.Images[i].ReadMask());
                sum += Confusion.AtHalf(mask, segment(picture)).Dice;
                stage.Report(i + 1);
            }
            return sum / set.Images.Count;
        }

        private void Map(Tensor x, Tensor y, string of) =>
            (_map, _mapOf) =
            (FeatureMap.Of(x, y, [.. real.Images.Select(i => i.Id)], [.. synthetic.Images.Select(i => i.Id)]), of);

        private void Speed<T>(string name, FeatureTable<T> x, FeatureTable<T> y)
        {
            var computed = x.Computed + y.Computed;
            _speeds.Add(new(name, computed, x.Rows.Count + y.Rows.Count - computed, x.Seconds + y.Seconds));
        }

        private void Add(string name, double value, string note, Better better) => _measures.Add(new(name, value, note, better));

        private void Missing(string name, string note, Better better) => _measures.Add(new(name, null, note, better));

        private static Tensor Stack(FeatureTable<float> table)
        {
            var width = table.Rows[0].Length;
            var all = new float[(long)table.Rows.Count * width];
            for (var i = 0; i < table.Rows.Count; i++) table.Rows[i].CopyTo(all, i * width);
            return tensor(all, [table.Rows.Count, width]);
        }

        private static Tensor Rows(Tensor all, IEnumerable<int> places) =>
            all.index_select(0, tensor(places.Select(i => (long)i).ToArray()));
    }
}
