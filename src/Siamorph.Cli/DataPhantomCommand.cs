using System.CommandLine;
using Siamorph.Data.Phantom;

namespace Siamorph.Cli;

/// <summary>`siamorph data phantom FOLDER`.</summary>
internal static class DataPhantomCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("folder") { Description = "New folder for images, masks and manifest." };
        var command = new Command("phantom",
            "Creates the built-in dataset: endoscopy-like images with polyps and exact masks.") { folder };
        var binder = new OptionsBinder<PhantomOptions>(new PhantomOptions(), o => o.Validate());
        return command.Runs(binder, (context, options) =>
        {
            var dataset = PhantomDataset.Write(context.Get(folder), options, context.Monitor);
            context.Out.WriteLine($"Created {dataset.Pairs.Count} pairs of {options.Size} pixels: {dataset.Folder}");
        });
    }
}
