using Siamorph.Segmentation.Batches;
using Siamorph.Segmentation.Networks;
using Siamorph.Training;
using static TorchSharp.torch;

namespace Siamorph.Segmentation.Losses;

/// <summary>
/// Learns from images without masks: the network in training has to find in them what the network of averaged weights, its
/// teacher, finds (mean teacher, Tarvainen and Valpola 2017), also where rectangles of one image lie over another (French et al.
/// 2020).
/// </summary>
internal sealed class MeanTeacher(SegmentationOptions options)
{
    private readonly Seed _seed = options.Seed.Derive("mean teacher");

    /// <summary>What a batch teaches.</summary>
    /// <param name="network">The network in training; left in training mode.</param>
    /// <param name="averages">Its averaged weights.</param>
    /// <param name="images">[B,3,H,W] in [-1,1].</param>
    /// <param name="unlabelled">Which of them have no mask.</param>
    /// <param name="step">Steps done.</param>
    /// <returns>The lesson, with tensors of the caller's scope; null where all images have a mask.</returns>
    public TeacherBatch? Of(SegmentationNetwork network, Ema averages, Tensor images, bool[] unlabelled, int step)
    {
        long[] Rows(bool which) => [.. Enumerable.Range(0, unlabelled.Length).Where(i => unlabelled[i] == which)
            .Select(i => (long)i)];
        var (known, blind) = (Rows(false), Rows(true));
        if (blind.Length == 0) return null;
        using var noGrad = no_grad();
        var rows = tensor(blind, device: images.device);
        var shown = images.index_select(0, rows);
        Tensor targets;
        using (averages.Swap())
        {
            network.eval();
            targets = Probabilities(network.Logits(shown));
        }
        network.train();
        CutMix.Apply([.. Enumerable.Range(0, blind.Length)], 1, _seed.Derive(step), shown, targets);
        return new(images.index_copy(0, rows, shown), known.Length > 0 ? tensor(known, device: images.device)
            : null, rows, targets, WeightAt(step));
    }

    /// <summary>
    /// The weight of agreement: it rises as exp(−5 (1 − t)²) over the first share of the steps, while the teacher knows little.
    /// </summary>
    internal double WeightAt(int step)
    {
        var ramp = options.ConsistencyRampUp * options.Steps;
        var left = ramp > 0 ? Math.Max(0, 1 - step / ramp) : 0;
        return options.ConsistencyWeight * Math.Exp(-5 * left * left);
    }

    private static Tensor Probabilities(Tensor logits) => logits.shape[1] == 1 ? logits.sigmoid() : logits.softmax(1);

    /// <summary>What one batch teaches.</summary>
    /// <param name="Images">What the network in training sees, [B,3,H,W].</param>
    /// <param name="Labelled">Rows with a mask; null for none.</param>
    /// <param name="Unlabelled">Rows without.</param>
    /// <param name="Targets">What the teacher finds there, probabilities [U,Classes,H,W].</param>
    /// <param name="Weight">Of the agreement.</param>
    internal sealed record TeacherBatch(Tensor Images, Tensor? Labelled, Tensor Unlabelled, Tensor Targets, double Weight)
    {
        /// <summary>
        /// The loss of a head: of its labelled rows by their masks, and the mean squared difference from the teacher's
        /// probabilities.
        /// </summary>
        /// <param name="logits">[B,Classes,H,W].</param>
        /// <param name="masks">[B,1,H,W].</param>
        /// <param name="ofLabelled">Loss of logits and masks.</param>
        public Tensor Loss(Tensor logits, Tensor masks, Func<Tensor, Tensor, Tensor> ofLabelled)
        {
            var agreement = (Probabilities(logits.index_select(0, Unlabelled)) - Targets).square().mean() * Weight;
            return Labelled is null ? agreement
                : ofLabelled(logits.index_select(0, Labelled), masks.index_select(0, Labelled)) + agreement;
        }
    }
}
