using System.CommandLine;
using Siamorph.Data.Folders;
using Siamorph.Data.Splits;

namespace Siamorph.Cli;

/// <summary>`siamorph data split FOLDER`.</summary>
internal static class DataSplitCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("folder")
        {
            Description = "Folder of images and masks; its manifest.jsonl is written.",
        };
        var groups = new Option<string?>("--groups")
        {
            Description = "CSV file with a header line, a column of image names and a column of patients or sequences.",
            HelpName = "file",
        };
        var nameColumn = new Option<string?>("--name-column")
        {
            Description = "Column with the image names; needed only if the header does not identify it.", HelpName = "name",
        };
        var groupColumn = new Option<string?>("--group-column")
        {
            Description = "Column with the patients or sequences; needed only if the header does not identify it.",
            HelpName = "name",
        };
        var partial = new Option<bool>("--groups-partial")
        {
            Description = "Allows pairs that are missing from the table, and table lines without a pair.",
        };
        var outFolder = new Option<string?>("--out", "-o")
        {
            Description = "Folder to write the manifest to instead; the images stay where they are.", HelpName = "folder",
        };
        var command = new Command("split",
            "Splits a dataset into train, val and test; images of one patient, and near-duplicates, stay in one split.") { folder,
            groups, nameColumn, groupColumn, partial, outFolder };
        var binder = new OptionsBinder<SplitOptions>(new SplitOptions(), o => o.Validate());
        return command.Runs(binder, (context, options) =>
        {
            var dataset = DatasetFolder.Read(context.Get(folder), context.Monitor);
            if (context.Get(groups) is { } table)
            {
                var grouped = DatasetSplitter.WithGroups(dataset, table, new()
                {
                    NameColumn = context.Get(nameColumn), GroupColumn = context.Get(groupColumn),
                    AllowPartial = context.Get(partial),
                });
                context.Monitor.Note($"{table}: {grouped}");
                dataset = grouped.Dataset;
            }
            var split = DatasetSplitter.Split(dataset, options, context.Monitor);
            var target = Path.GetFullPath(context.Get(outFolder) ?? dataset.Folder);
            using var alone = FolderLock.Take(target);
            DatasetFolder.WriteManifest(target, split.Pairs);
            foreach (var part in split.Pairs.CountBy(p => p.Split!)) context.Out.WriteLine($"{part.Key}: {part.Value} pairs");
            context.Out.WriteLine($"Wrote {Path.Combine(target, "manifest.jsonl")}");
        });
    }
}
