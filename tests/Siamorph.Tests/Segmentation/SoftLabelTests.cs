using Siamorph.Data;
using Siamorph.Imaging;
using Siamorph.Segmentation;
using Siamorph.Segmentation.Losses;
using static TorchSharp.torch;

namespace Siamorph.Tests.Segmentation;

public sealed class SoftLabelTests : IDisposable
{
    private readonly TinyPairs _pairs = new();

    public void Dispose() => _pairs.Dispose();

    public static TheoryData<MaskLoss> Losses =>
        [MaskLoss.BceDice, MaskLoss.BceBatchDice, MaskLoss.BceDiceSanet, MaskLoss.Structure, MaskLoss.StructureAsExecuted];

    [Theory]
    [MemberData(nameof(Losses))]
    public void Loss_OfHardLabels_IsTheHardLoss_WhateverTheWeight(MaskLoss loss)
    {
        using var scope = NewDisposeScope();
        using var generator = new Seed(3).Generator();
        var logits = randn(3, 1, 24, 20, generator: generator) * 2;
        var masks = (randn(3, 1, 24, 20, generator: generator) > 0.5).to(float32);
        foreach (var weight in new[] { 0, 0.6, 1 }) // every pixel is agreed upon
        {
            var (a, b) = (logits.clone().requires_grad_(), logits.clone().requires_grad_());
            var (hard, soft) = (MaskLosses.Of(loss, a, masks), SoftMaskLosses.Of(loss, b, masks, weight));
            Assert.Equal(hard.item<float>(), soft.item<float>(), 1e-4);
            hard.backward();
            soft.backward();
            Assert.True((a.grad! - b.grad!).abs().max().item<float>() < 1e-5);
        }
    }

    [Theory]
    [MemberData(nameof(Losses))]
    public void Loss_OfASoftLabel_IsLeastAtTheLabel_AndWithTheProductIsNot(MaskLoss loss)
    {
        using var scope = NewDisposeScope();
        var labels = zeros(1, 1, 16, 16);
        labels[.., .., 4..12, 4..12] = 0.7f;
        double At(Func<MaskLoss, Tensor, Tensor, Tensor> of, double p)
        {
            var probabilities = where(labels > 0, tensor((float)p), tensor(1e-4f));
            return of(loss, (probabilities / (1 - probabilities)).log(), labels).item<float>();
        }
        double[] tried = [0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99];
        Assert.Equal(0.7, tried.MinBy(p => At((l, x, t) => SoftMaskLosses.Of(l, x, t, 0), p)));
        Assert.True(tried.MinBy(p => At(MaskLosses.Of, p)) > 0.7);
    }

    [Fact]
    public void AgreementWeight_LeavesOutPixelsOnWhichAnnotatorsAreSplit()
    {
        using var scope = NewDisposeScope();
        var labels = ones(1, 1, 16, 16);
        labels[.., .., 8.., ..] = 0.5f;
        var (one, other) = (full([1, 1, 16, 16], 2f), full([1, 1, 16, 16], 2f));
        other[.., .., 8.., ..] = -3f;
        Assert.Equal(SoftMaskLosses.Of(MaskLoss.BceDice, one, labels, 1).item<float>(),
            SoftMaskLosses.Of(MaskLoss.BceDice, other, labels, 1).item<float>(), 1e-6);
        Assert.NotEqual(SoftMaskLosses.Of(MaskLoss.BceDice, one, labels, 0.5).item<float>(),
            SoftMaskLosses.Of(MaskLoss.BceDice, other, labels, 0.5).item<float>(), 1e-3);
        // No pixel counts at all
        Assert.True(float.IsFinite(SoftMaskLosses.Of(MaskLoss.Structure, one, full_like(labels, 0.5f), 1).item<float>()));
    }

    [Fact]
    public void Train_OnSeveralAnnotators_FindsWhatTheyAgreeOn_WhereTheFirstAloneMisleads()
    {
        var size = new ImageSize(32, 32);
        var train = _pairs.Write("train", 24, size).Select(Annotated).ToList();
        using var exact = PairedDataset.Load(_pairs.Write("exact", 12, size, seed: 2), size, NullMonitor.Instance);
        double Dice(SegmentationOptions options, string run)
        {
            using var data = options.Load(train, NullMonitor.Instance);
            SegmentationTrainer.Run(options, data, exact, _pairs.In(run), NullMonitor.Instance);
            using var predictor = Predictor.Load(_pairs.In(run));
            return SegmentationEvaluator.Evaluate(predictor, exact, NullMonitor.Instance).Dice;
        }
        var hard = new SegmentationOptions
        {
            Network = new() { Width = 8 }, ImageSize = size, Steps = 60, ValidateEvery = 60, LearningRate = 3e-3,
        };
        var misled = Dice(hard, "hard");
        var agreed = Dice(hard with { Labels = LabelKind.Soft }, "soft");
        Assert.True(misled < 0.85, $"the wide outlines should mislead: {misled}");
        Assert.True(agreed > misled + 0.08, $"soft {agreed}, hard {misled}");
    }

    [Fact]
    public void Options_ThatCanNotBeSoft_AreRefused()
    {
        var options = new SegmentationOptions { Labels = LabelKind.Soft };
        options.Validate();
        Assert.Contains("bceDice", Fault(options with { Loss = MaskLoss.CrossEntropy }), StringComparison.Ordinal);
        Assert.Contains("set labels to soft", Fault(new() { BoundaryWidth = 0.02 }), StringComparison.Ordinal);
        Assert.Contains("set labels to soft", Fault(new() { AgreementWeight = 0.5 }), StringComparison.Ordinal);
        Assert.Contains("0 to 0.2", Fault(options with { BoundaryWidth = 0.5 }), StringComparison.Ordinal);
        using var hard = _pairs.Load("x", 2, 64);
        Assert.Throws<InvalidOptionsException>(() =>
            SegmentationTrainer.Run(options, hard, hard, _pairs.In("run"), NullMonitor.Instance));

        static string Fault(SegmentationOptions wrong) => Assert.Throws<InvalidOptionsException>(() => wrong.Validate()).Message;
    }

    // The reference is drawn three pixels too wide, the second annotator as much too narrow, the third is exact.
    private static ImageMaskPair Annotated(ImageMaskPair pair)
    {
        var truth = ImageFile.ReadMask(pair.MaskPath);
        var distance = SoftMask.WithBand(truth, 16); // 255 · (½ + pixels inwards / 16)
        string Write(string name, int pixels)
        {
            var path = pair.MaskPath.Replace("masks", name, StringComparison.Ordinal);
            ImageFile.WriteMaskPng(path, new LabelMap(truth.Size,
                Array.ConvertAll(distance.Levels, l => l > 255 * (0.5 - pixels / 16.0) ? (byte)1 : (byte)0)));
            return path;
        }
        return pair with { MaskPath = Write("wide", 3), OtherMaskPaths = [Write("narrow", -2), pair.MaskPath] };
    }
}
