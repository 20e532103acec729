using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Siamorph.Data;
using Siamorph.Segmentation.Batches;
using Siamorph.Segmentation.Losses;
using Siamorph.Segmentation.Networks;
using Siamorph.Training;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Segmentation;

/// <summary>A training run under way: network, optimizer, and the best weights so far.</summary>
internal sealed class SegmentationSession : IDisposable
{
    private const int ValidationBatch = 16;
    private readonly SegmentationOptions _options;
    private readonly PairedDataset _validation;
    private readonly Placement _place;
    private readonly SegmentationBatches _batches;
    private readonly SegmentationNetwork _network;
    private readonly RecipeOptimizer _optimizer;
    private readonly RecipeSchedule _schedule;
    private readonly Seed _noise;
    private readonly MeanTeacher? _teacher;
    private readonly Dictionary<string, Tensor> _best = [];
    private readonly List<ValidationPoint> _history = [];
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private Ema? _ema;
    private double _secondsBefore, _lossSum;
    private int _lossCount;

    /// <param name="options">What to do.</param>
    /// <param name="train">To learn from.</param>
    /// <param name="validation">To choose by.</param>
    /// <param name="place">Where; null asks the options.</param>
    public SegmentationSession(SegmentationOptions options, PairedDataset train, PairedDataset validation,
        Placement? place = null)
    {
        (_options, _validation, _place) = (options, validation, place ?? Placement.On(options.Device));
        _batches = new(train, options);
        _network = NetworkFactory.Create(options.Network);
        InitialWeights.Draw(_network, options.Seed.Derive("weights"));
        _place.Move(_network);
        _optimizer = new(_network, options);
        _schedule = new(options);
        _noise = options.Seed.Derive("layers");
        _teacher = train.Pairs.Any(p => p.IsUnlabelled) ? new(options) : null;
    }

    /// <summary>Gives the network the weights that the options name; for a run that begins.</summary>
    /// <returns>What was loaded, a line for each file.</returns>
    public IReadOnlyList<string> LoadWeights()
    {
        var lines = new List<string>();
        if (_options.Backbone is { } backbone) lines.Add(BackboneWeights.Load(_network, backbone));
        if (_options.InitialWeights is { } whole) lines.Add(PretrainedWeights.Load(_network, whole));
        return lines;
    }

    public int Step { get; private set; }

    /// <summary>Images per step.</summary>
    public int BatchSize => _options.BatchSize;

    public double Seconds => _secondsBefore + _clock.Elapsed.TotalSeconds;

    public long Parameters => _network.parameters().Sum(p => p.numel());

    public IReadOnlyList<ValidationPoint> History => _history;

    /// <summary>The look whose weights are kept: the first of the best, or the last.</summary>
    public ValidationPoint Kept =>
        _options.Keep == Segmentation.CheckpointSelection.Last ? _history[^1] : _history.MaxBy(p => p.Dice)!;

    /// <summary>The weights at <see cref="Kept"/>; this session's own.</summary>
    public IReadOnlyDictionary<string, Tensor> CheckpointSelection => _best;

    /// <summary>One optimizer step.</summary>
    /// <exception cref="SiamorphException">The loss is not a number.</exception>
    public (double Loss, double LearningRate) Advance()
    {
        using var scope = NewDisposeScope();
        _ema ??= AveragesOf(_network, _options); // only now, so that a backbone's weights are in
        var (images, masks) = Batch();
        _network.train();
        _network.Noise.Begin(_noise.Derive(Step));
        var loss = LossAt(images, masks);
        var value = loss.to_type(ScalarType.Float32).item<float>();
        if (!float.IsFinite(value))
            throw new SiamorphException(
                $"The segmentation loss is {value} at step {Step + 1}. Lower the learning rate, or set a clip norm.");
        var rate = _schedule.At(Step, _history);
        _optimizer.Descend(loss, rate);
        using (StepProfile.Of("averaged weights")) _ema?.Update();
        Step++;
        (_lossSum, _lossCount) = (_lossSum + value, _lossCount + 1);
        return (value, rate);
    }

    private (Tensor Images, Tensor Masks) Batch()
    {
        using var noted = StepProfile.Of("batch and its augmentation");
        var (images, masks) = _batches.Batch(Step);
        return (_place.Put(images), _place.Put(masks));
    }

    private Tensor LossAt(Tensor images, Tensor masks)
    {
        using var noted = StepProfile.Around("network forward, the rest");
        var lesson = _teacher?.Of(_network, _ema!, images, _batches.IsUnlabelled(Step), Step);
        return lesson is null ? HeadLosses(images, masks) : Taught(lesson, masks);
    }

    /// <summary>
    /// Averages of a network's weights, and of the statistics of norms with them; null where the options ask for none.
    /// </summary>
    internal static Ema? AveragesOf(SegmentationNetwork network, SegmentationOptions options) => options.EmaDecay > 0
        ? new([.. StateDict.Of(network).Where(t => t.Value.is_floating_point()).Select(t => (t.Key, t.Value))], options.EmaDecay)
        : null;

    // The loss of each head at the masks' size, and the contrast of the embedding where it is asked for.
    private Tensor HeadLosses(Tensor images, Tensor masks)
    {
        var (heads, embedding) = _options.ContrastWeight > 0
            ? _network.HeadsAndEmbedding(_network.Normalised(images))
            : (_network.Heads(_network.Normalised(images)), null);
        var scaled = heads.Select(h => Operators.ScaleTo(h, masks, _network.AlignCorners)).ToList();
        var loss = scaled.Select(h => Loss(h, masks)).Aggregate((a, b) => a + b);
        if (embedding is null || ContrastiveLoss.Of(embedding, scaled[0], masks,
            _noise.Derive("pixels").Derive(Step)) is not { } contrast) return loss;
        return loss + _options.ContrastWeight * contrast;
    }

    // The same with what a teacher finds in images without masks.
    private Tensor Taught(MeanTeacher.TeacherBatch lesson, Tensor masks) => _network.Heads(_network.Normalised(lesson.Images))
        .Select(h => lesson.Loss(Operators.ScaleTo(h, masks, _network.AlignCorners), masks, LossOf))
        .Aggregate((a, b) => a + b);

    /// <summary>Looks at the validation split and keeps the weights if they are to be kept.</summary>
    public ValidationPoint Validate()
    {
        using var noGrad = no_grad();
        using var averaged = _ema?.Swap();
        _network.eval();
        double loss = 0, dice = 0, iou = 0;
        for (var first = 0; first < _validation.Count; first += ValidationBatch)
        {
            using var scope = NewDisposeScope();
            var last = Math.Min(first + ValidationBatch, _validation.Count);
            var masks = _options.Network.Classes > 1 ? _validation.Masks[first..last]
                : _validation.Masks[first..last].clamp_max(1);
            masks = _place.Put(masks);
            var logits = _network.Logits(_place.Put(Predictor.ToUnit(_validation.Images[first..last])));
            loss += (last - first) * MaskLosses.Of(_options.Loss, logits,
                masks.to_type(logits.dtype)).to_type(ScalarType.Float32).item<float>();
            var (diceSum, iouSum) = Scores(logits, masks);
            (dice, iou) = (dice + diceSum, iou + iouSum);
        }
        double n = _validation.Count;
        var point = new ValidationPoint(Step, _lossSum / _lossCount, loss / n, dice / n, iou / n);
        (_lossSum, _lossCount) = (0, 0);
        _history.Add(point);
        if (Kept == point) KeepWeights();
        return point;
    }

    /// <summary>Writes all that is needed to go on bit for bit.</summary>
    public void Save(RunFolder run)
    {
        var parts = new Dictionary<string, WeightTable>
        {
            ["model"] = WeightTable.Of(StateDict.Of(_network)),
            ["optimizer"] = _optimizer.State(),
        };
        if (_ema is not null) parts["ema"] = _ema.State();
        if (_best.Count > 0) parts["best"] = WeightTable.Of(_best);
        Checkpoint.Save(run.Checkpoint(Step), parts, new JsonObject
        {
            ["step"] = Step,
            ["seconds"] = Seconds,
            ["lossSum"] = _lossSum,
            ["lossCount"] = _lossCount,
            ["emaUpdates"] = _ema?.Updates ?? 0,
            ["history"] = JsonSerializer.SerializeToNode(_history, OptionsFile.Json),
        });
        Checkpoint.Prune(run.Path, keep: 1);
    }

    /// <summary>Goes on from the newest checkpoint, if there is one.</summary>
    /// <exception cref="WeightsFormatException">The checkpoint is damaged.</exception>
    public void Restore(RunFolder run)
    {
        Checkpoint.Prune(run.Path, keep: 1);
        if (Checkpoint.Latest(run.Path) is not { } folder) return;
        using var checkpoint = Checkpoint.Load(folder);
        StateDict.Apply(_network, checkpoint["model"], folder);
        _optimizer.Load(checkpoint["optimizer"]);
        var state = checkpoint.State;
        _ema = AveragesOf(_network, _options);
        _ema?.Load(checkpoint["ema"], state["emaUpdates"]!.GetValue<long>());
        Step = state["step"]!.GetValue<int>();
        _secondsBefore = state["seconds"]!.GetValue<double>();
        (_lossSum, _lossCount) = (state["lossSum"]!.GetValue<double>(), state["lossCount"]!.GetValue<int>());
        _history.AddRange(state["history"].Deserialize<List<ValidationPoint>>(OptionsFile.Json)!);
        if (checkpoint.Find("best") is not { } best) return;
        foreach (var entry in best.Entries) _best[entry.Name] = entry.Read().DetachFromDisposeScope();
    }

    public void Dispose()
    {
        foreach (var tensor in _best.Values) tensor.Dispose();
        _ema?.Dispose();
        _optimizer.Dispose();
        _network.Dispose();
    }

    // Synthetic images may count less: then each source has its own mean, weighted by its number and weight.
    private Tensor Loss(Tensor logits, Tensor masks)
    {
        if (_options.SyntheticWeight == 1) return LossOf(logits, masks);
        var synthetic = _batches.IsSynthetic(Step);
        if (synthetic.All(s => s == synthetic[0])) return LossOf(logits, masks);
        Tensor Part(bool which, out double weight)
        {
            var members = Enumerable.Range(0, synthetic.Length).Where(i => synthetic[i] == which).Select(i => (long)i).ToArray();
            weight = members.Length * (which ? _options.SyntheticWeight : 1);
            var rows = tensor(members, device: logits.device);
            return LossOf(logits.index_select(0, rows), masks.index_select(0, rows));
        }
        var (real, drawn) = (Part(false, out var ofReal), Part(true, out var ofDrawn));
        return (real * ofReal + drawn * ofDrawn) / (ofReal + ofDrawn);
    }

    private Tensor LossOf(Tensor logits, Tensor masks)
    {
        using var noted = StepProfile.Around("loss");
        return _options.LabelReading.IsSoft
            ? SoftMaskLosses.Of(_options.Loss, logits, masks, _options.AgreementWeight)
            : MaskLosses.Of(_options.Loss, logits, masks);
    }

    private void KeepWeights()
    {
        foreach (var (key, tensor) in StateDict.Of(_network))
        {
            if (_best.TryGetValue(key, out var kept)) kept.copy_(tensor);
            else _best[key] = tensor.detach().clone().DetachFromDisposeScope();
        }
    }

    // Sums over images; of several classes, means over those beside the background.
    private static (double Dice, double Iou) Scores(Tensor logits, Tensor masks)
    {
        if (logits.shape[1] == 1) return ScoresAtHalf(logits >= 0, masks.to_type(ScalarType.Bool));
        var decided = logits.argmax(1, true);
        var each = Enumerable.Range(1, (int)logits.shape[1] - 1).Select(c => ScoresAtHalf(decided == c, masks == c)).ToList();
        return (each.Average(e => e.Dice), each.Average(e => e.Iou));
    }

    // Sums over images; where decision and mask are both empty the score is 1.
    private static (double Dice, double Iou) ScoresAtHalf(Tensor decided, Tensor masks)
    {
        var common = decided.logical_and(masks).sum([1, 2, 3]).to_type(ScalarType.Float64);
        var total = (decided.sum([1, 2, 3]) + masks.sum([1, 2, 3])).to_type(ScalarType.Float64);
        var empty = (total == 0).to_type(ScalarType.Float64);
        var dice = (2 * common + empty) / (total + empty);
        var iou = (common + empty) / (total - common + empty);
        return (dice.sum().item<double>(), iou.sum().item<double>());
    }
}
