using Siamorph.Data;
using Siamorph.Siamese;
using Siamorph.Synthesis;

namespace Siamorph.Experiment.Stages;

/// <summary>
/// Makes pairs from those the generator was trained on. Without a generator (strength 0) real pairs are deformed or joined, at
/// the size and with the mirroring of a generator trained as <paramref name="Like"/> says.
/// </summary>
internal sealed record SynthesisStage(
    GeneratorStage? Generator, IReadOnlyList<ImageMaskPair> Masks, SynthesisOptions Options, TrainOptions Like) : PlannedStage
{
    public static readonly StageKind Of =
        new("synthesis", 1, n => $"synthesize {n} {(n == 1 ? "set" : "sets")} of pairs", "synthesizing pairs")
        {
            MakesPairs = true,
        };

    public override StageKind Kind => Of;

    public override object Run(StageWork work) => work.Runner.Synthesize(
        this, Generator is null ? null : work.FolderOf(Generator), Shapes is null ? []
            : work.Pairs(Shapes), work.FolderOf(this), work.Monitor);

    /// <summary>Predicted shapes to draw from as well; null for none.</summary>
    public LabellingStage? Shapes { get; init; }

    public override IReadOnlyList<PlannedStage> Needs => [.. new PlannedStage?[] { Generator, Shapes }.OfType<PlannedStage>()];
}
