using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Siamorph.Siamese;
using Siamorph.Siamese.Benchmark;
using Siamorph.Training;

namespace Siamorph.Cli;

/// <summary>`bench train-step` and `bench ddim-step`: how long the product's own steps take here.</summary>
internal static class BenchCommand
{
    private const int DefaultRepeats = 5;

    /// <summary>How every benchmark writes its result for `--json`.</summary>
    internal static JsonSerializerOptions OneLine { get; } = new(OptionsFile.Json) { WriteIndented = false };

    public static Command Create() =>
        new("bench", "Times single steps against a matrix product of this machine, and drawing from end to end.")
    {
        Verb("train-step", "Times a training step: all four losses, gradients, AdamW.", StepBenchmark.TrainStep, trains: true),
        Verb("ddim-step", "Times a DDIM step with prompt guidance.", StepBenchmark.DdimStep),
        BenchSegmentCommand.Create(),
        BenchSynthesizeCommand.Create(),
        BenchRanksCommand.Create(),
    };

    private static Command Verb(string name, string description, Func<StepBenchmarkOptions, StepMeasurement, StepTiming> run,
        bool trains = false)
    {
        var config = new Option<string?>("--config")
        {
            Description = "JSON file with the sizes (default: a medium model).", HelpName = "file",
        };
        var preset = new Option<string?>("--preset")
        {
            Description = "Sizes of a preset instead; tiny and small train by the trainer's own steps.", HelpName = "name",
        };
        var stage = new Option<string>("--stage")
        {
            Description = "Stage of such a preset to train.", HelpName = "base|siamese", DefaultValueFactory = _ => "siamese",
        };
        var threads = new NumberOption<int?>("--threads")
        {
            Description = "Threads (default: what the file says, or 2).", HelpName = "n",
        };
        var profile = new Option<bool>("--profile") { Description = "Prints what each operation takes of a step." };
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
        var command = new Command(name, description) { config, preset, threads, profile, json, repeats, device, precision };
        if (trains) command.Add(stage);
        return command.Runs(context =>
        {
            var how = new StepMeasurement(context.Get(repeats), context.Get(profile), context.Monitor);
            var chosen = context.Get(preset) is { } text ? PresetOf(text) : null;
            if (chosen is not null && context.Get(config) is not null)
                throw new InvalidOptionsException("--preset and --config both give the sizes. Leave one out.");
            var options = chosen is not null ? StepBenchmarkOptions.Of(chosen)
                : context.Get(config) is { } path ? OptionsFile.Load<StepBenchmarkOptions>(path) : new StepBenchmarkOptions();
            options = options with
            {
                Device = context.Get(device) ?? options.Device, Precision = context.Get(precision)
                    ?? options.Precision, Threads = context.Get(threads) ?? options.Threads,
            };
            var timing = trains && chosen is { TextModel: null }
                ? StepBenchmark.TrainStage(chosen with
                {
                    Device = options.Device, Precision = options.Precision,
                }, IsBase(context.Get(stage)!), options.Threads, how)
                : run(options, how);
            context.Out.WriteLine(context.Get(json) ? JsonSerializer.Serialize(timing, OneLine) : Describe(timing));
            if (timing.Shares is { } shares && !context.Get(json)) ShareTable.Write(shares, context.Out);
        });
    }

    private static TrainOptions PresetOf(string name) => Presets.All.TryGetValue(name, out var preset) ? preset
        : throw new InvalidOptionsException(
            $"--preset {name}: there are {string.Join(", ", Presets.All.Keys)}; a medium model is measured without --preset.");

    private static bool IsBase(string stage) => stage switch
    {
        "base" => true,
        "siamese" => false,
        _ => throw new InvalidOptionsException($"--stage {stage}: write base or siamese."),
    };

    private static string Describe(StepTiming t) => string.Create(CultureInfo.InvariantCulture,
        $"{t.MedianMs:F0} ms a step of {t.Batch} (median of {t.Repeats}; {t.MinMs:F0} to {t.MaxMs:F0}), {t.Gflop:F0} GFLOP at "
            + $"{t.FractionOfGemm:P0} of the {t.GemmGflops:F0} GFLOP/s of a matrix product; {t.PeakMemoryMB:F0} MB at most");
}
