using System.CommandLine;
using System.Globalization;
using Siamorph.Siamese.BaseModel;
using Siamorph.Training;

namespace Siamorph.Cli;

/// <summary>`siamorph base build RECIPE --out FOLDER`.</summary>
internal static class BaseCommand
{
    public static Command Create() =>
        new("base", "Makes base models, with which the training of a preset may begin.") { Build() };

    private static Command Build()
    {
        var recipe = new Argument<string>("recipe")
        {
            Description = "JSON file that names the images to train on and the training options (docs/how-to/base-model.md).",
        };
        var images = new Option<string?>("--images")
        {
            Description = "Folder that contains the image folders named in the recipe.", HelpName = "folder",
        };
        var output = new Option<string>("--out", "-o")
        {
            Description = "Folder for the run, the weights and their model card; the same command continues a stopped run.",
            Required = true, HelpName = "folder",
        };
        var command = new Command("build", "Trains a base model from a recipe and writes its weights and model card.")
        {
            recipe, images, output,
        };
        return command.Runs(context =>
        {
            context.GoOnWith = "the same command; finished work is kept";
            var built = BaseModelBuilder.Build(OptionsFile.Load<BaseRecipe>(context.Get(recipe)), context.Get(images),
                context.Arguments.GetRequiredValue(output), context.Monitor);
            context.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{built.Weights} ({built.Megabytes:0.0} MB): start from it with train --initial-weights. {built.Card} describes "
                    + $"its training data."));
        });
    }
}
