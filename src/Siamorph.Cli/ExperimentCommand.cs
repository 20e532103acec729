using System.CommandLine;
using Siamorph.Experiment;
using Siamorph.Imaging;
using Siamorph.Segmentation;
using Siamorph.Siamese;

namespace Siamorph.Cli;

/// <summary>`siamorph experiment DATA --out FOLDER`.</summary>
internal static class ExperimentCommand
{
    public static Command Create()
    {
        var data = new Argument<string>("data") { Description = "Folder of images and masks." };
        var folder = new Option<string>("--out", "-o") { Description = "Folder of the experiment; run again to go on.", Required = true, HelpName = "folder" };
        var command = new Command("experiment", "Measures whether synthetic pairs help segmentation on these data.") { data, folder };
        var binder = new OptionsBinder<ExperimentOptions>(
            Presets.All.ToDictionary(p => p.Key, p => Of(p.Value)), o => (o with { Data = "." }).Validate(), nameof(ExperimentOptions.Data));
        return command.Runs(binder, (context, options) =>
        {
            var target = context.Arguments.GetRequiredValue(folder);
            context.GoOnWith = "the same command; what is finished is kept";
            ExperimentRunner.Run(options with { Data = context.Get(data) }, target, context.Monitor);
            ReportCommand.Render(context, target);
        });
    }

    private static ExperimentOptions Of(TrainOptions generator) => new()
    {
        Generator = generator,
        Segmentation = new SegmentationOptions { ImageSize = new ImageSize(generator.ImageSize, generator.ImageSize) },
    };
}
