using System.CommandLine;
using Siamorph.Data.Folders;
using Siamorph.Study;

namespace Siamorph.Cli;

/// <summary>`siamorph study make SYNTHETIC --data DATA --out STUDY`.</summary>
internal static class StudyMakeCommand
{
    public static Command Create()
    {
        var synthetic = new Argument<string>("synthetic") { Description = "Folder of synthetic pairs." };
        var data = new Option<string>("--data", "-d")
        {
            Description = "Dataset folder of real pairs, with splits; held-out pairs are shown.", Required = true,
            HelpName = "folder",
        };
        var outFolder = new Option<string>("--out", "-o")
        {
            Description = "New folder for the study.", Required = true, HelpName = "folder",
        };
        var consent = new Option<string?>("--consent")
        {
            Description = "Text file with the consent that readers give (default: a short text about research and pseudonyms).",
            HelpName = "file",
        };
        var command = new Command("make",
            "Chooses the images, hides which are synthetic, and fixes the questions and the analysis.")
        {
            synthetic, data, outFolder, consent,
        };
        var binder = new OptionsBinder<StudyOptions>(new StudyOptions(), o => o.Validate());
        return command.Runs(binder, (context, options) =>
        {
            var text = context.Get(consent) is { } file ? File.ReadAllText(file) : null;
            var real = DatasetFolder.Read(context.Arguments.GetRequiredValue(data), context.Monitor);
            var made = DatasetFolder.Read(context.Get(synthetic), context.Monitor);
            var study = StudyMaker.Make(real, made, context.Arguments.GetRequiredValue(outFolder), options, text,
                context.Monitor);
            foreach (var warning in study.Warnings) context.Monitor.Note($"warning: {warning}");
            context.Out.WriteLine($"{options.Images} real and {options.Images} synthetic images of {study.Size} pixels; "
                + $"{study.Items} images in all, with practice images, repeats and catch items.");
            context.Out.WriteLine(study.Folder);
        });
    }
}
