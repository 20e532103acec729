using Siamorph.Synthesis;

namespace Siamorph.Experiment.Results;

/// <summary>One run of the quality gate.</summary>
/// <param name="Arms">Arms that use it.</param>
/// <param name="RealCount">Real pairs that calibrated it.</param>
/// <param name="Seeds">Seeds of the cells that use it.</param>
/// <param name="Stage">Name of the stage's folder under <c>stages/</c>.</param>
/// <param name="Selection">How it chose among the pairs that passed.</param>
/// <param name="Outcome">What it said.</param>
internal sealed record GateResult(
    IReadOnlyList<string> Arms, int RealCount, IReadOnlyList<Seed> Seeds, string Stage, GateSelection Selection,
    GateOutcome Outcome);

/// <summary>What the quality gate said about a set of candidates.</summary>
internal sealed record GateOutcome
{
    /// <summary>Pairs judged.</summary>
    public required int Candidates { get; init; }

    /// <summary>Pairs with no reason against them.</summary>
    public required int Passed { get; init; }

    /// <summary>Pairs chosen.</summary>
    public required int Kept { get; init; }

    /// <summary>How many pairs each kind of reason spoke against; a pair may have several.</summary>
    public required IReadOnlyDictionary<string, int> Reasons { get; init; }

    /// <summary>The limits, set by held-out real pairs.</summary>
    public required GateLimits Limits { get; init; }

    /// <summary>Mean agreement of the networks with real pairs they had not seen; 0.5 is none.</summary>
    public required double RealAgreement { get; init; }

    /// <summary>Mean agreement of the candidates.</summary>
    public double CandidateAgreement { get; init; }

    /// <summary>Share of real images with another's mask that the gate refuses: what it can see.</summary>
    public double WrongMasksRefused { get; init; }

    /// <summary>Mean difficulty of the chosen pairs, in nats.</summary>
    public required double KeptDifficulty { get; init; }

    internal static GateOutcome Of(IReadOnlyList<GateVerdict> verdicts, QualityGate gate)
    {
        var kept = verdicts.Where(v => v.Kept).ToList();
        return new()
        {
            Candidates = verdicts.Count,
            Passed = verdicts.Count(v => v.Reasons.Count == 0),
            Kept = kept.Count,
            Reasons = verdicts.SelectMany(v => v.Reasons).GroupBy(r => r.Kind).OrderByDescending(g => g.Count())
                .ThenBy(g => g.Key, StringComparer.Ordinal)
                .ToDictionary(g => g.Key, g => g.Count()),
            Limits = gate.Limits,
            RealAgreement = Math.Round(gate.RealAgreement, 6),
            CandidateAgreement = Math.Round(verdicts.Average(v => v.Agreement), 6),
            WrongMasksRefused = Math.Round(gate.WrongMasksRefused, 6),
            KeptDifficulty = kept.Count > 0 ? Math.Round(kept.Average(v => v.Difficulty), 4) : 0,
        };
    }
}
