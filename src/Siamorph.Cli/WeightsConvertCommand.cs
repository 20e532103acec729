using System.CommandLine;
using Siamorph.Siamese.WeightFiles;

namespace Siamorph.Cli;

/// <summary>`siamorph weights convert IN OUT`.</summary>
internal static class WeightsConvertCommand
{
    public static Command Create()
    {
        var input = new Argument<string>("in")
        {
            Description = "Weight file, *.index.json, diffusers or DeepSpeed folder, or run folder of `train`.",
        };
        var output = new Argument<string>("out")
        {
            Description = "Safetensors file to write, or a folder for several diffusers parts.",
        };
        var command = new Command("convert", "Writes weights as safetensors, in the authors' or diffusers' key layout.")
        {
            input, output,
        };
        return command.Runs(new OptionsBinder<ConvertOptions>(new ConvertOptions()), (context, options) =>
        {
            var report = WeightsConverter.Convert(context.Get(input), context.Get(output), options);
            foreach (var note in report.Notes) context.Monitor.Note(note);
            context.Out.WriteLine($"{report.Tensors} tensors written to {string.Join(", ", report.Files)}");
        });
    }
}
