using System.CommandLine;
using Siamorph.Siamese.WeightFiles;

namespace Siamorph.Cli;

/// <summary>`siamorph weights convert IN OUT`.</summary>
internal static class WeightsConvertCommand
{
    public static Command Create()
    {
        var input = new Argument<string>("in") { Description = "A weight file, an *.index.json, a diffusers or DeepSpeed folder, or a run of `train`." };
        var output = new Argument<string>("out") { Description = "The safetensors file to write; for several diffusers parts, a folder." };
        var command = new Command("convert", "Writes weights as safetensors, in the authors' or diffusers' key layout.") { input, output };
        return command.Runs(new OptionsBinder<ConvertOptions>(new ConvertOptions()), (context, options) =>
        {
            var report = WeightsConverter.Convert(context.Get(input), context.Get(output), options);
            foreach (var note in report.Notes) context.Monitor.Note(note);
            context.Out.WriteLine($"{report.Tensors} tensors written to {string.Join(", ", report.Files)}");
        });
    }
}
