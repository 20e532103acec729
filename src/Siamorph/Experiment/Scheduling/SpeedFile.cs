using Siamorph.Data;
using Siamorph.Training;

namespace Siamorph.Experiment.Scheduling;

/// <summary>Keeps measured speeds in the experiment's folder, so that a resumed run does not measure again.</summary>
internal static class SpeedFile
{
    public static StageSpeeds ReadOrMeasure(ExperimentPlan plan, string folder, IStageRunner runner, IMonitor monitor)
    {
        var path = Path.Combine(folder, "speeds.json");
        var key = ContentHash.Of($"{Environment.MachineName} {Environment.ProcessorCount} {TorchSharp.torch.get_num_threads()} "
            + $"{OptionsFile.ToJson(WithoutLengths(plan.Options))}");
        if (Read(path) is { } known && known.Key == key) return known.Speeds;
        var scratch = Path.Combine(folder, "measuring");
        if (Directory.Exists(scratch)) Directory.Delete(scratch, recursive: true);
        var speeds = runner.Measure(plan, scratch, monitor);
        if (Directory.Exists(scratch)) Directory.Delete(scratch, recursive: true);
        AtomicFile.WriteText(path, OptionsFile.ToJson(new KnownSpeeds(key, speeds)));
        return speeds;
    }

    // Numbers of steps, seeds and pairs change the time, not the speed.
    private static ExperimentOptions WithoutLengths(ExperimentOptions options) => options with
    {
        Seeds = [],
        RealCounts = [],
        Generator = options.Generator with
        {
            Base = options.Generator.Base with { Steps = 0 }, Siamese = options.Generator.Siamese with { Steps = 0 },
        },
        Segmentation = options.Segmentation with { Steps = 0 },
    };

    private static KnownSpeeds? Read(string path)
    {
        try
        {
            return File.Exists(path) ? OptionsFile.Load<KnownSpeeds>(path) : null;
        }
        catch (InvalidOptionsException)
        {
            return null; // of an older version: measured again
        }
    }

    private sealed record KnownSpeeds(string Key, StageSpeeds Speeds);
}
