namespace Siamorph.Studio.Jobs;

/// <summary>
/// One job at a time: the process that works holds the slot, so it stays taken when the server goes away, and is free when the
/// work has ended.
/// </summary>
internal static class JobSlot
{
    private const string Name = ".slot";

    /// <summary>Null where another job has it.</summary>
    public static FolderLock? Take(string jobs)
    {
        try
        {
            return FolderLock.Take(System.IO.Path.Combine(jobs, Name));
        }
        catch (SiamorphException) when (FolderLock.IsHeld(System.IO.Path.Combine(jobs, Name)))
        {
            return null;
        }
    }

    public static bool IsTaken(string jobs) => FolderLock.IsHeld(System.IO.Path.Combine(jobs, Name));

    public static bool Is(string folder) => System.IO.Path.GetFileName(folder) == Name;
}
