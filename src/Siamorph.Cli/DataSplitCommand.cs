using System.CommandLine;
using Siamorph.Data;

namespace Siamorph.Cli;

/// <summary>`siamorph data split FOLDER`.</summary>
internal static class DataSplitCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("folder") { Description = "Folder of images and masks; its manifest.jsonl is written." };
        var groups = new Option<string?>("--groups") { Description = "CSV with a header: file name without extension, patient or sequence.", HelpName = "file" };
        var outFolder = new Option<string?>("--out", "-o") { Description = "Writes the manifest there instead; pictures stay where they are.", HelpName = "folder" };
        var command = new Command("split", "Divides a dataset into train, val and test; groups and lookalikes stay together.") { folder, groups, outFolder };
        var binder = new OptionsBinder<SplitOptions>(new SplitOptions(), o => o.Validate());
        return command.Runs(binder, (context, options) =>
        {
            var dataset = DatasetFolder.Read(context.Get(folder));
            if (context.Get(groups) is { } table) dataset = DatasetSplitter.WithGroups(dataset, table);
            var split = DatasetSplitter.Split(dataset, options, context.Monitor);
            var target = Path.GetFullPath(context.Get(outFolder) ?? dataset.Folder);
            DatasetFolder.WriteManifest(target, split.Pairs);
            foreach (var part in split.Pairs.CountBy(p => p.Split!)) context.Out.WriteLine($"{part.Key}: {part.Value} pairs");
            context.Out.WriteLine($"Wrote {Path.Combine(target, "manifest.jsonl")}");
        });
    }
}
