using System.CommandLine;
using System.Globalization;
using Siamorph.Data.Folders;
using Siamorph.Diffusion;
using Siamorph.Synthesis;
using Siamorph.Training;

namespace Siamorph.Cli;

/// <summary>
/// `bench synthesize RUN --masks DATA`: how long drawing takes from end to end, with the old many steps and with few.
/// </summary>
internal static class BenchSynthesizeCommand
{
    public static Command Create()
    {
        var run = new Argument<string>("run") { Description = "Run folder that `train` wrote, or weights of the whole model." };
        var masks = new Option<string>("--masks", "-m")
        {
            Description = "Folder of image-mask pairs, or of masks alone, to generate from.", Required = true,
            HelpName = "folder",
        };
        var settings = new Option<string>("--samplers")
        {
            Description = "Samplers with their numbers of steps; the others are compared with the first.", HelpName = "name:n,…",
            DefaultValueFactory = _ => "ddim:50,ddim:20,uniPc:15",
        };
        var count = new NumberOption<int>("--count")
        {
            Description = "Images to generate in each repeat.", HelpName = "n", DefaultValueFactory = _ => 64,
        };
        var repeats = new NumberOption<int>("--repeats")
        {
            Description = "How often each sampler is timed, in alternation.", HelpName = "n", DefaultValueFactory = _ => 3,
        };
        var guidance = new NumberOption<double?>("--guidance")
        {
            Description = "Guidance scale (default: the model's).", HelpName = "n",
        };
        var json = new Option<bool>("--json") { Description = "Prints one JSON array." };
        var command = new Command("synthesize", "Times the generation of images from end to end with several samplers.")
        {
            run, masks, settings, count, repeats, guidance, json,
        };
        return command.Runs(context =>
        {
            var pairs = MaskFolder.Read(context.Arguments.GetRequiredValue(masks), context.Monitor);
            var options = new SynthesisOptions { Count = context.Get(count), Guidance = context.Get(guidance) };
            var timings = SynthesisBenchmark.Run(context.Get(run), pairs, options,
                [.. context.Get(settings)!.Split(',').Select(Setting)], context.Get(repeats), context.Monitor);
            if (context.Get(json)) context.Out.WriteLine(OptionsFile.ToJson(timings));
            else foreach (var t in timings) context.Out.WriteLine(Describe(t, timings[0]));
        });
    }

    private static (SamplerKind, int) Setting(string text)
    {
        var parts = text.Split(':', StringSplitOptions.TrimEntries);
        return parts.Length == 2 && !int.TryParse(parts[0], out _)
            && Enum.TryParse<SamplerKind>(parts[0], ignoreCase: true, out var kind) && int.TryParse(parts[1], out var steps)
            && steps > 0
            ? (kind, steps)
            : throw new InvalidOptionsException(
                $"--samplers {text}: write name:steps, such as ddim:50; names are ddim, dpmSolver, uniPc.");
    }

    private static string Describe(SynthesisTiming t, SynthesisTiming first) => string.Create(CultureInfo.InvariantCulture,
        $"{t.Sampler} {t.Steps,3} steps: {t.MedianSeconds:0.0} s for {t.Images} images ({t.MinSeconds:0.0} to "
            + $"{t.MaxSeconds:0.0}), {first.MedianSeconds / t.MedianSeconds:0.00}× as fast as {first.Sampler} {first.Steps}; "
            + $"mean difference {t.Difference:0.0} grey levels");
}
