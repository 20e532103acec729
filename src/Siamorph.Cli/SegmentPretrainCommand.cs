using System.CommandLine;
using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Segmentation;
using Siamorph.Segmentation.Networks;

namespace Siamorph.Cli;

/// <summary>`siamorph segment pretrain IMAGES --out RUN`.</summary>
internal static class SegmentPretrainCommand
{
    public static Command Create()
    {
        var images = new Argument<string>("images") { Description = "Folder of images; masks are not looked at." };
        var heldOut = new Option<string?>("--held-out")
        {
            Description = "Dataset folder whose validation and test images are left out, and what looks like them.",
            HelpName = "folder",
        };
        var output = new Option<string>("--out") { Description = "Run folder to write; run again to go on.", HelpName = "folder", Required = true };
        var command = new Command("pretrain", "Trains a segmentation network to remove noise from images without masks; \"segment train --initial-weights\" begins there.")
        {
            images, heldOut, output,
        };
        var binder = new OptionsBinder<SegmentationOptions>(SegmentationRecipes.All, o => o.Validate(), nameof(NetworkConfig.ImageChannels), nameof(NetworkConfig.Classes))
            .Show(SegmentTrainCommand.Shown);
        return command.Runs(binder, (context, options) =>
        {
            var run = context.Get(output)!;
            context.GoOnWith = $"siamorph segment pretrain {context.Get(images)} --out {run} --options {Path.Combine(run, "options.json")}";
            IReadOnlyList<ImageMaskPair> held = context.Get(heldOut) is { } folder ? DatasetFolder.Read(folder, context.Monitor).Pairs : [];
            var found = UnlabelledImages.Read(context.Get(images)!, held, context.Monitor);
            using var data = options.Load(found.Images, context.Monitor);
            context.Out.WriteLine(DenoisingPretraining.Run(options, data, run, context.Monitor));
        });
    }
}
