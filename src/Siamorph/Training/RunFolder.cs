using System.Globalization;

namespace Siamorph.Training;

/// <summary>What one training run leaves behind, and where.</summary>
public sealed class RunFolder
{
    /// <summary>Names a folder; nothing is made or read.</summary>
    public RunFolder(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Path = path;
    }

    /// <summary>The folder itself.</summary>
    public string Path { get; }

    /// <summary>The resolved options.</summary>
    public string OptionsPath => In("options.json");

    /// <summary>Versions and machine.</summary>
    public string EnvironmentPath => In("environment.json");

    /// <summary>One line an entry: step, time, named numbers.</summary>
    public string LogPath => In("log.jsonl");

    /// <summary>TensorBoard events; the same numbers as in the log.</summary>
    public string TensorBoardFolder => In("tensorboard");

    /// <summary>Sheets of samples, drawn on the way.</summary>
    public string PreviewsFolder => In("previews");

    /// <summary>One folder a checkpoint.</summary>
    public string CheckpointsFolder => In("checkpoints");

    /// <summary>The folder of a checkpoint, such as checkpoints/step-000500.</summary>
    public string Checkpoint(long step) =>
        System.IO.Path.Combine(CheckpointsFolder, string.Create(CultureInfo.InvariantCulture, $"step-{step:000000}"));

    /// <summary>Begins a run: makes the folder, writes options.json and environment.json.</summary>
    /// <exception cref="SiamorphException">The folder holds a run already, or can't be written.</exception>
    public void Begin<T>(T options) where T : class
    {
        if (File.Exists(LogPath) || Directory.Exists(CheckpointsFolder))
            throw new SiamorphException($"{Path}: holds a run already. Continue it (--resume) or name another folder.");
        OptionsFile.Save(OptionsPath, options);
        OptionsFile.Save(EnvironmentPath, RunEnvironment.Here());
    }

    /// <summary>The options with which the run began.</summary>
    /// <exception cref="SiamorphException">This is not a run folder, or its options do not fit this version.</exception>
    public T Options<T>() where T : class
    {
        if (!File.Exists(OptionsPath)) throw new SiamorphException($"{Path}: not a run folder, options.json is missing.");
        return OptionsFile.LoadRecorded<T>(OptionsPath);
    }

    private string In(string name) => System.IO.Path.Combine(Path, name);
}
