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
        var images = new Argument<string>("images") { Description = "Folder of images; masks in it are ignored." };
        var heldOut = new Option<string?>("--held-out")
        {
            Description = "Dataset folder whose validation and test images, and near-duplicates of them, are left out.",
            HelpName = "folder",
        };
        var output = new Option<string>("--out")
        {
            Description = "Run folder to write; the same command continues a stopped run.", HelpName = "folder", Required = true,
        };
        var command = new Command("pretrain",
            "Pretrains a segmentation network by denoising images without masks; continue with \"segment train "
                + "--initial-weights\".")
        {
            images, heldOut, output,
        };
        var binder = new OptionsBinder<SegmentationOptions>(SegmentationRecipes.All, o => o.Validate(),
            nameof(NetworkConfig.ImageChannels), nameof(NetworkConfig.Classes))
            .Show(SegmentTrainCommand.Shown);
        return command.Runs(binder, (context, options) =>
        {
            var run = context.Get(output)!;
            context.GoOnWith =
                $"siamorph segment pretrain {context.Get(images)} --out {run} --options {Path.Combine(run, "options.json")}";
            IReadOnlyList<ImageMaskPair> held = context.Get(heldOut) is { } folder
                ? DatasetFolder.Read(folder, context.Monitor).Pairs : [];
            var found = UnlabelledImages.Read(context.Get(images)!, held, context.Monitor);
            using var data = options.Load(found.Images, context.Monitor);
            context.Out.WriteLine(DenoisingPretraining.Run(options, data, run, context.Monitor));
        });
    }
}
