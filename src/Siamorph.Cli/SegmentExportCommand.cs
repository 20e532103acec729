using System.CommandLine;
using Siamorph.Segmentation;
using Siamorph.Segmentation.Onnx;

namespace Siamorph.Cli;

/// <summary>`siamorph segment export RUN --out FILE`.</summary>
internal static class SegmentExportCommand
{
    public static Command Create()
    {
        var run = new Argument<string>("run") { Description = "Run folder of \"segment train\"." };
        var output = new Option<string>("--out") { Description = "ONNX file to write.", HelpName = "file", Required = true };
        var command = new Command("export", "Writes the trained network as an ONNX file.") { run, output };
        return command.Runs(context =>
        {
            using var predictor = Predictor.Load(context.Get(run));
            var file = context.Get(output)!;
            OnnxExport.Write(predictor, file);
            context.Out.WriteLine(
                $"{Path.GetFullPath(file)}: input \"{OnnxExport.InputName}\" float32 [batch,3,{predictor.ImageSize.Height},"
                    + $"{predictor.ImageSize.Width}] in [-1,1]; "
                + $"outputs \"{OnnxExport.LogitsName}\" and \"{OnnxExport.ProbabilitiesName}\".");
        });
    }
}
