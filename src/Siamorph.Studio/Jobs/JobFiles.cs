namespace Siamorph.Studio.Jobs;

/// <summary>job.json: what is to be done.</summary>
/// <param name="Title">For people, such as "train → runs/a".</param>
/// <param name="Arguments">The verb and what follows it.</param>
/// <param name="Resume">The same, to go on after a stop.</param>
/// <param name="WorkingFolder">Where it runs.</param>
/// <param name="Target">The folder it writes, below the root; null where there is none.</param>
/// <param name="Created">When it was asked for.</param>
internal sealed record JobFile(
    string Title, IReadOnlyList<string> Arguments, IReadOnlyList<string> Resume, string WorkingFolder, string? Target,
    DateTimeOffset Created)
{
    /// <summary>Place in the queue: lower ones are earlier.</summary>
    public double Place { get; init; }
}

/// <summary>Where a job stands.</summary>
internal enum JobState
{
    /// <summary>Waits for its turn.</summary>
    Queued,

    /// <summary>A process works on it.</summary>
    Running,

    /// <summary>Ended as it should.</summary>
    Done,

    /// <summary>Ended with an error; its log says which.</summary>
    Failed,

    /// <summary>Was asked to stop, and did.</summary>
    Stopped,

    /// <summary>Its process went away without a word.</summary>
    Interrupted,
}

/// <summary>state.json: how far it is.</summary>
internal sealed record JobStatus(JobState State)
{
    public DateTimeOffset? Started { get; init; }

    public DateTimeOffset? Ended { get; init; }

    public int? ExitCode { get; init; }

    /// <summary>It goes on with work that was begun.</summary>
    public bool Resuming { get; init; }
}
