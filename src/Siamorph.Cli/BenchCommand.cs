using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Siamorph.Siamese.Benchmark;
using Siamorph.Training;

namespace Siamorph.Cli;

/// <summary>`bench train-step` and `bench ddim-step`: how long the product's own steps take here.</summary>
internal static class BenchCommand
{
    private const int DefaultRepeats = 5;
    private static readonly JsonSerializerOptions OneLine = new(OptionsFile.Json) { WriteIndented = false };

    public static Command Create() =>
        new("bench", "Times single steps against a matrix product of this machine, and drawing from end to end.")
    {
        Verb("train-step", "Times a training step: all four losses, gradients, AdamW.", StepBenchmark.TrainStep),
        Verb("ddim-step", "Times a DDIM step with prompt guidance.", StepBenchmark.DdimStep),
        BenchSegmentCommand.Create(),
        BenchSynthesizeCommand.Create(),
        BenchRanksCommand.Create(),
    };

    private static Command Verb(string name, string description, Func<StepBenchmarkOptions, int, IMonitor, StepTiming> run)
    {
        var config = new Option<string?>("--config")
        {
            Description = "JSON file with the sizes (default: a medium model).", HelpName = "file",
        };
        var json = new Option<bool>("--json") { Description = "Prints one JSON object on one line." };
        var repeats = new NumberOption<int>("--repeats")
        {
            Description = "Steps to time, after two warm-up steps.", DefaultValueFactory = _ => DefaultRepeats, HelpName = "n",
        };
        var device = new Option<ComputeDevice?>("--device")
        {
            Description = "Where the networks run. [default: cpu]", HelpName = "cpu|cuda",
        };
        var precision = new Option<Precision?>("--precision")
        {
            Description = "Type of the networks' weights and activations. [default: full]", HelpName = "full|bFloat16|float16",
        };
        var command = new Command(name, description) { config, json, repeats, device, precision };
        return command.Runs(context =>
        {
            var options = context.Get(config) is { } path ? OptionsFile.Load<StepBenchmarkOptions>(path)
                : new StepBenchmarkOptions();
            options = options with
            {
                Device = context.Get(device) ?? options.Device, Precision = context.Get(precision) ?? options.Precision,
            };
            var timing = run(options, context.Get(repeats), context.Monitor);
            context.Out.WriteLine(context.Get(json) ? JsonSerializer.Serialize(timing, OneLine) : Describe(timing));
        });
    }

    private static string Describe(StepTiming t) => string.Create(CultureInfo.InvariantCulture,
        $"{t.MedianMs:F0} ms a step of {t.Batch} (median of {t.Repeats}; {t.MinMs:F0} to {t.MaxMs:F0}), {t.Gflop:F0} GFLOP at "
            + $"{t.FractionOfGemm:P0} of the {t.GemmGflops:F0} GFLOP/s of a matrix product; {t.PeakMemoryMB:F0} MB at most");
}
