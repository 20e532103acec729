using System.Text.Json.Nodes;

namespace Siamorph.Experiment.Stages;

/// <summary>
/// A piece of work with a folder of its own. Its key is the hash of all that decides its result, so equal work has one
/// folder whoever asks for it, and changed work a new one.
/// </summary>
internal abstract record PlannedStage
{
    /// <summary>What kind of work it is.</summary>
    public abstract StageKind Kind { get; }

    /// <summary>What is done, for people: "real only, 50 real pairs, seed 1".</summary>
    public required string Title { get; init; }

    /// <summary>Name of its folder.</summary>
    public required string Folder { get; init; }

    /// <summary>SHA-256 of <see cref="Inputs"/>.</summary>
    public required string Key { get; init; }

    /// <summary>All that decides the result.</summary>
    public required JsonObject Inputs { get; init; }

    /// <summary>The parts of the work as they report themselves, with what each takes.</summary>
    public required IReadOnlyList<WorkPhase> Phases { get; init; }

    /// <summary>The stages whose results it reads.</summary>
    public virtual IReadOnlyList<PlannedStage> Needs => [];

    /// <summary>Does the work.</summary>
    /// <returns>What <c>done.json</c> keeps of it.</returns>
    public abstract object Run(StageWork work);
}
