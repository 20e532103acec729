namespace Siamorph.Data.Splits;

/// <summary>How a dataset is divided.</summary>
public sealed record SplitOptions
{
    /// <summary>Share of the training split.</summary>
    public double Train { get; init; } = 0.8;

    /// <summary>Share of the validation split.</summary>
    public double Val { get; init; } = 0.1;

    /// <summary>Share of the test split.</summary>
    public double Test { get; init; } = 0.1;

    /// <summary>Seed of the split.</summary>
    public Seed Seed { get; init; } = new(1);

    /// <summary>Keeps near-duplicates in one split; every image is opened once for this.</summary>
    public bool KeepNearDuplicates { get; init; } = true;

    /// <summary>Shares with their names, those that are not 0.</summary>
    internal IReadOnlyList<(string Name, double Share)> Shares =>
        [.. new[] { ("train", Train), ("val", Val), ("test", Test) }.Where(s => s.Item2 > 0)];

    /// <summary>Checks all options.</summary>
    /// <exception cref="InvalidOptionsException">Lists every fault.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        foreach (var (name, share) in new[] { ("train", Train), ("val", Val), ("test", Test) })
            if (share is not (>= 0 and <= 1)) faults.Add(FormattableString.Invariant($"{name} is {share}; give 0 to 1."));
        if (Math.Abs(Train + Val + Test - 1) > 1e-6)
            faults.Add(FormattableString.Invariant(
                $"train, val and test make {Train + Val + Test:0.####} together; they must make 1."));
        if (faults.Count > 0) throw new InvalidOptionsException(faults);
    }
}
