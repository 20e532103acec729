using System.CommandLine;
using Siamorph.Siamese.BaseModel;
using Siamorph.Training;

namespace Siamorph.Cli;

/// <summary>`siamorph base build RECIPE --out FOLDER`.</summary>
internal static class BaseCommand
{
    public static Command Create() => new("base", "Makes base models, with which the training of a preset may begin.") { Build() };

    private static Command Build()
    {
        var recipe = new Argument<string>("recipe") { Description = "JSON file: what to learn from, and how (docs/how-to/base-model.md)." };
        var images = new Option<string?>("--images") { Description = "Folder in which the recipe's folders of images lie.", HelpName = "folder" };
        var output = new Option<string>("--out", "-o") { Description = "Folder for the run, the weights and their card; run again to go on.", Required = true, HelpName = "folder" };
        var command = new Command("build", "Trains a base model by a recipe and writes its weights and card.") { recipe, images, output };
        return command.Runs(context =>
        {
            context.GoOnWith = "the same command; what is done is kept";
            var built = BaseModelBuilder.Build(OptionsFile.Load<BaseRecipe>(context.Get(recipe)), context.Get(images), context.Arguments.GetRequiredValue(output), context.Monitor);
            context.Out.WriteLine(FormattableString.Invariant($"{built.Weights} ({built.Megabytes:0.0} MB): train --initial-weights begins there. {built.Card} says what it learned from."));
        });
    }
}
