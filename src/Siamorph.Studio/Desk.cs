using Siamorph.Studio.Draw;
using Siamorph.Studio.Folders;
using Siamorph.Studio.Jobs;
using Siamorph.Studio.Pictures;
using Siamorph.Studio.Security;

namespace Siamorph.Studio;

/// <summary>What pages work with.</summary>
internal sealed record Desk(RootFolder Root, PictureShelf Pictures, JobQueue Jobs, ReaderLinks Links, Sessions Sessions, StudioOptions Options)
{
    /// <summary>Logs that are being watched.</summary>
    public RunLogs Logs { get; } = new();

    /// <summary>The processes that draw.</summary>
    public DrawingDesk Drawing { get; } = new(Options.Program);
}
