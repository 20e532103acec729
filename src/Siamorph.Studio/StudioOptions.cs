using Siamorph.Studio.Jobs;

namespace Siamorph.Studio;

/// <summary>What the Studio is started with.</summary>
internal sealed record StudioOptions
{
    /// <summary>Nothing outside this folder is shown or written.</summary>
    public required string Root { get; init; }

    /// <summary>Port on the loopback address; 0 takes a free one.</summary>
    public int Port { get; init; } = 8642;

    /// <summary>What starts this program again: its path, and what else has to stand before a verb.</summary>
    public required IReadOnlyList<string> Program { get; init; }

    /// <summary>The verbs that pages can start.</summary>
    public IReadOnlyList<VerbForm> Forms { get; init; } = [];

    /// <summary>Told every link by which a browser may enter, the first one and each that takes a used one's place.</summary>
    public Action<string> Announce { get; init; } = _ => { };
}
