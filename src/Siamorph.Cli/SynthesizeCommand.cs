using System.CommandLine;
using Siamorph.Data.Folders;
using Siamorph.Synthesis;

namespace Siamorph.Cli;

/// <summary>`siamorph synthesize RUN --masks DATA --out FOLDER`.</summary>
internal static class SynthesizeCommand
{
    public static Command Create()
    {
        var run = new Argument<string>("run")
        {
            Description = "Run folder that `train` wrote, or weights of the whole sd15 model, such as the authors' checkpoint.",
        };
        var masks = new Option<string?>("--masks", "-m")
        {
            Description = "Folder of image-mask pairs, or of masks alone, to generate from.", HelpName = "folder",
        };
        var split = new Option<string?>("--split")
        {
            Description = "Uses only the masks of this split: train, val or test.", HelpName = "name",
        };
        var outFolder = new Option<string?>("--out", "-o") { Description = "Dataset folder to write.", HelpName = "folder" };
        var serve = new Option<bool>("--serve")
        {
            Description =
                "Keeps the model loaded and generates what lines of JSON on standard input request; takes no --masks or --out.",
        };
        var command = new Command("synthesize", "Generates synthetic pairs from masks with a trained model.")
        {
            run, masks, split, outFolder, serve,
        };
        var binder = new OptionsBinder<SynthesisOptions>(new SynthesisOptions(), o => o.Validate()).Show(
            "--images-per-mask", "--count", "--shapes", "--seed", "--prompt", "--start", "--strength", "--image-weight",
            "--sampler", "--steps", "--guidance",
            "--deformation-flip", "--deformation-rotation", "--deformation-scale", "--deformation-elastic", "--batch-size",
            "--device");
        return command.Runs(binder, (context, options) =>
        {
            if (context.Get(serve)) Serve(context, context.Get(run), options, [masks, split, outFolder]);
            else Draw(context, context.Get(run), options,
                (Needed(context, masks), context.Get(split), Needed(context, outFolder)));
        });
    }

    private static void Draw(VerbContext context, string model, SynthesisOptions options,
        (string Masks, string? Split, string Out) folders)
    {
        var pairs = MaskFolder.Read(folders.Masks, context.Monitor)
            .Where(p => folders.Split is not { } wanted || p.Split == wanted).ToList();
        context.GoOnWith = $"the same command; finished pairs in {folders.Out} are kept";
        var dataset = Synthesizer.Run(model, pairs, options, folders.Out, context.Monitor);
        context.Out.WriteLine($"Generated {dataset.Pairs.Count} pairs: {dataset.Folder}");
    }

    private static void Serve(VerbContext context, string model, SynthesisOptions options, IReadOnlyList<Option<string?>> others)
    {
        if (others.FirstOrDefault(o => context.Get(o) is not null) is { } other)
            throw new InvalidOptionsException(
                $"{other.Name} can't be used with --serve: masks come with the requests, and images are sent with the answers.");
        using var synthesizer = new SynthesisSession(model, options);
        new SynthesisServer(synthesizer, Console.In, context.Out).Run(context.Monitor.Cancellation);
    }

    private static string Needed(VerbContext context, Option<string?> option) =>
        context.Get(option) ?? throw new InvalidOptionsException($"{option.Name} is missing. See 'siamorph synthesize --help'.");
}
