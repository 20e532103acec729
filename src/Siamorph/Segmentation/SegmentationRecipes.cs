using Siamorph.Segmentation.Batches;

namespace Siamorph.Segmentation;

/// <summary>
/// Named sets of options: a network with the training that its authors used (steps aside, which a user chooses for the
/// machine), and small networks with one that suits a processor. Each number can be overridden.
/// </summary>
public static class SegmentationRecipes
{
    private static readonly SegmentationOptions Compact = new() { ImageSize = new(96, 96), Steps = 600, ValidateEvery = 50 };

    // PraNet and what follows it: 352 px at three sizes, values of gradients limited, constant rate.
    private static readonly SegmentationOptions PraNetLike = new()
    {
        ImageSize = new(352, 352),
        BatchSize = 16,
        Steps = 27_000,
        LearningRate = 1e-4,
        Schedule = SegmentationSchedule.Constant,
        WarmupSteps = 0,
        WeightDecay = 1e-4,
        ClipNorm = 0,
        ClipValue = 0.5,
        MultiScale = MultiScale.ThreeSizes,
        Loss = MaskLoss.StructureAsExecuted,
        Augmentation = AugmentationOptions.None,
        ValidateEvery = 270,
    };

    /// <summary>Every recipe by name; the first is the default.</summary>
    public static IReadOnlyDictionary<string, SegmentationOptions> All { get; } = Make();

    private static Dictionary<string, SegmentationOptions> Make()
    {
        var recipes = new Dictionary<string, SegmentationOptions>
        {
            ["unet"] = new(),
            // milesial's trainer; its batches of one image at half size are left to the user.
            ["unet-64"] = new()
            {
                Network = new() { Width = 64, Bilinear = false },
                ImageSize = new(256, 256),
                BatchSize = 1,
                Steps = 6500,
                Optimizer = SegmentationOptimizer.RmsProp,
                LearningRate = 1e-5,
                Momentum = 0.999,
                WeightDecay = 1e-8,
                Schedule = SegmentationSchedule.Plateau,
                WarmupSteps = 0,
                Loss = MaskLoss.BceBatchDice,
                Augmentation = AugmentationOptions.None,
                ValidateEvery = 260,
            },
            // Learning more slowly, the encoder keeps what ImageNet taught it (docs/results/e10-imagenet-encoder.md).
            ["unet-mobilenetv2"] = new() { Network = new() { Name = "unet-mobilenetv2" }, BackboneRate = 0.3 },
            ["sanet"] = new()
            {
                Network = new() { Name = "sanet" },
                ImageSize = new(352, 352),
                BatchSize = 64,
                Steps = 2900,
                Optimizer = SegmentationOptimizer.Sgd,
                LearningRate = 0.4,
                BackboneRate = 0.1,
                WeightDecay = 5e-4,
                Schedule = SegmentationSchedule.Halving,
                WarmupSteps = 0,
                ClipNorm = 0,
                MultiScale = MultiScale.RandomSize,
                Loss = MaskLoss.BceDiceSanet,
                Augmentation = AugmentationOptions.None with
                {
                    HorizontalFlip = true, VerticalFlip = true, QuarterTurns = true, ColourExchange = true,
                },
                ValidateEvery = 100,
            },
            ["pranet"] = PraNetLike with { Network = new() { Name = "pranet" }, Steps = 5400, WeightDecay = 0 },
            ["polyp-pvt"] = PraNetLike with { Network = new() { Name = "polyp-pvt" } },
            ["ctnet"] = PraNetLike with { Network = new() { Name = "ctnet" }, Steps = 8500, ContrastWeight = 0.1 },
        };
        for (var size = 0; size <= 5; size++) recipes[$"segformer-b{size}"] = SegFormer(size);
        recipes["sanet-compact"] = Compact with
        {
            Network = new() { Name = "sanet-compact" }, Loss = MaskLoss.BceDice, Augmentation = new() { ColourExchange = true },
        };
        recipes["pranet-compact"] = Compact with
        {
            Network = new() { Name = "pranet-compact" }, Loss = MaskLoss.StructureAsExecuted,
        };
        recipes["polyp-pvt-compact"] = Compact with
        {
            Network = new() { Name = "polyp-pvt-compact" }, Loss = MaskLoss.StructureAsExecuted,
        };
        recipes["ctnet-compact"] = Compact with
        {
            Network = new() { Name = "ctnet-compact" }, Loss = MaskLoss.StructureAsExecuted, ContrastWeight = 0.1,
        };
        recipes["segformer-compact"] = Compact with { Network = new() { Name = "segformer-compact" } };
        return recipes;
    }

    private static SegmentationOptions SegFormer(int size) => new()
    {
        Network = new() { Name = $"segformer-b{size}" },
        ImageSize = new(512, 512),
        BatchSize = 16,
        Steps = 160_000,
        LearningRate = 6e-4,
        BackboneRate = 0.1, // 6e-5; the head learns ten times as fast
        WeightDecay = 0.01,
        DecayNorms = false,
        Schedule = SegmentationSchedule.Linear,
        WarmupSteps = 1500,
        ClipNorm = 0,
        Loss = MaskLoss.CrossEntropy,
        Augmentation = new() { VerticalFlip = false, QuarterTurns = false },
        ValidateEvery = 2000,
    };
}
