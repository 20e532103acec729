namespace Siamorph.Experiment.Stages;

/// <summary>A kind of work in an experiment.</summary>
/// <param name="Name">Its name in files.</param>
/// <param name="Revision">To be raised when its code comes to other results from the same inputs: old folders are left alone
/// then.</param>
/// <param name="Plan">What n stages of it do, for the plan: "train 3 generators".</param>
/// <param name="Working">What it does, for the report: "training generators".</param>
internal sealed record StageKind(string Name, int Revision, Func<int, string> Plan, string Working)
{
    /// <summary>Whether it is part of making synthetic pairs, for what these cost.</summary>
    public bool MakesPairs { get; init; }

    /// <summary>
    /// Every kind, in the order of the method; made when asked for, since each kind is a part of its stage's type.
    /// </summary>
    public static IReadOnlyList<StageKind> All =>
    [
        SharedBaseStage.Of, GeneratorStage.Of, PretrainingStage.Of, LabellingStage.Of, SynthesisStage.Of, GateStage.Of,
        SegmentationStage.Of, RobustnessStage.Of,
        ExternalStage.Of,
    ];

    /// <summary>The kind of a name; null where this version knows none.</summary>
    public static StageKind? Named(string name) => All.FirstOrDefault(k => k.Name == name);

    /// <summary>The place of a name in <see cref="All"/>; one that is not known comes last.</summary>
    public static int Place(string name) => All.TakeWhile(k => k.Name != name).Count();
}
