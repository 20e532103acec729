using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Siamorph.Imaging;
using Siamorph.Segmentation;

namespace Siamorph.Cli;

/// <summary>`bench segment`: how many images a second a segmentation network learns from here.</summary>
internal static class BenchSegmentCommand
{
    public static Command Create()
    {
        var network = new Option<string>("--network-name")
        {
            Description = "Network to train.", HelpName = "name", DefaultValueFactory = _ => "unet",
        };
        var width = new NumberOption<int>("--width")
        {
            Description = "Channels of a U-Net at full resolution.", HelpName = "n", DefaultValueFactory = _ => 16,
        };
        var side = new NumberOption<int>("--side")
        {
            Description = "Width and height of the images, in pixels.", HelpName = "n", DefaultValueFactory = _ => 64,
        };
        var batch = new NumberOption<int>("--batch")
        {
            Description = "Images per step.", HelpName = "n", DefaultValueFactory = _ => 8,
        };
        var steps = new NumberOption<int>("--repeats")
        {
            Description = "Steps to time, after a few warm-up steps.", HelpName = "n", DefaultValueFactory = _ => 50,
        };
        var threads = new NumberOption<int>("--threads")
        {
            Description = "Threads.", HelpName = "n", DefaultValueFactory = _ => 1,
        };
        var profile = new Option<bool>("--profile") { Description = "Prints how long each operation of a step takes." };
        var json = new Option<bool>("--json") { Description = "Prints one JSON object on one line." };
        var command = new Command("segment",
            "Times the training of a segmentation network as in an experiment: strong augmentation, EMA of the weights.")
        {
            network, width, side, batch, steps, threads, profile, json,
        };
        return command.Runs(context =>
        {
            var options = SegmentationOptions.ForExperiments with
            {
                Network = new() { Name = context.Get(network)!, Width = context.Get(width) },
                ImageSize = new ImageSize(context.Get(side), context.Get(side)), BatchSize = context.Get(batch),
            };
            var timing = SegmentationBenchmark.Run(options, context.Get(steps), context.Get(threads), context.Get(profile),
                context.Monitor);
            if (context.Get(json)) context.Out.WriteLine(JsonSerializer.Serialize(timing, BenchCommand.OneLine));
            else Print(timing, context.Out);
        });
    }

    private static void Print(SegmentationTiming t, TextWriter output)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{t.ImagesASecond:0.0} images a second: {t.MedianMs:0.0} ms a step of {t.Batch} (median of {t.Steps}; {t.MinMs:0.0} "
                + $"to {t.MaxMs:0.0}; {t.ProcessorMs:0.0} of processor time) with {t.Threads} thread(s); a look at the "
                + $"validation split {t.ValidationMs:0} ms; {t.PeakMemoryMB:0} MB at most"));
        if (t.Shares is { } shares) ShareTable.Write(shares, output);
    }
}

/// <summary>A profile as a table of text.</summary>
internal static class ShareTable
{
    public static void Write(IReadOnlyList<OperationShare> shares, TextWriter output)
    {
        output.WriteLine($"{"operation",-36} {"ms",9} {"share",7} {"calls",7} {"MB",8}");
        foreach (var s in shares)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{s.Operation,-36} {s.Ms,9:0.00} {s.Share,7:P1} {s.Calls,7:0.#} "
                    + $"{(s.MegaBytes > 0 ? FormattableString.Invariant($"{s.MegaBytes:0.0}") : ""),8}"));
    }
}
