using System.CommandLine;
using Siamorph.Data.Phantom;

namespace Siamorph.Cli;

/// <summary>`siamorph data phantom FOLDER`.</summary>
internal static class DataPhantomCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("folder") { Description = "New folder for images, masks and manifest." };
        var command = new Command("phantom", "Paints the built-in data set: endoscopy-like images with polyps and exact masks.") { folder };
        var binder = new OptionsBinder<PhantomOptions>(new PhantomOptions(), o => o.Validate());
        return command.Runs(binder, (context, options) =>
        {
            var dataset = PhantomDataset.Write(context.Get(folder), options, context.Monitor);
            context.Out.WriteLine($"Painted {dataset.Pairs.Count} pairs of {options.Size} pixels: {dataset.Folder}");
        });
    }
}
