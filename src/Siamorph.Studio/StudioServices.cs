using Siamorph.Studio.Draw;
using Siamorph.Studio.Folders;
using Siamorph.Studio.Jobs;
using Siamorph.Studio.Images;
using Siamorph.Studio.Security;

namespace Siamorph.Studio;

/// <summary>What pages work with.</summary>
internal sealed record StudioServices(
    RootFolder Root, ImageStore Pictures, JobQueue Jobs, ReaderLinks Links, Sessions Sessions, StudioOptions Options)
{
    /// <summary>Logs that are being watched.</summary>
    public RunLogs Logs { get; } = new();

    /// <summary>The processes that draw.</summary>
    public DrawingService Drawing { get; } = new(Options.Program);
}
