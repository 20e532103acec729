namespace Siamorph.Studio;

/// <summary>A request that can't be served: the page says why, with this status.</summary>
internal sealed class StudioException(int status, string message) : Exception(message)
{
    public int Status { get; } = status;

    public static StudioException Missing(string what) => new(404, $"{what} is not here. It may have been moved or removed.");
}
