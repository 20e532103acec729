using Siamorph.Data.Folders;

namespace Siamorph.Cli;

/// <summary>
/// What a verb that takes datasets and bare folders alike read of a dataset; of a bare folder its result says how many files.
/// </summary>
internal static class DatasetNote
{
    public static void Of(string folder, IMonitor monitor)
    {
        if (DatasetFolder.List(folder) is { Pairs.Count: > 0 } dataset) monitor.Note(dataset.Summary());
    }
}
