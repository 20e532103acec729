using Siamorph.Training;

namespace Siamorph.Cli.Slurm;

/// <summary>Which job does which stage, kept in the experiment's folder so that a leader may go away and come back.</summary>
internal sealed class SlurmJobs
{
    /// <summary>Where scripts, logs and this are, below the experiment's folder.</summary>
    public const string Folder = "slurm";

    /// <summary>What stands for the job that writes the results.</summary>
    public const string Results = "results";

    private readonly string _path;
    private readonly Dictionary<string, string> _jobs;

    /// <summary>Reads what an earlier leader has submitted.</summary>
    public SlurmJobs(string experiment)
    {
        _path = Path.Combine(experiment, Folder, "jobs.json");
        _jobs = File.Exists(_path) ? OptionsFile.Load<Dictionary<string, string>>(_path) : [];
    }

    /// <summary>The job of a stage, such as "12_0"; null where none was submitted.</summary>
    public string? Of(string stage) => _jobs.GetValueOrDefault(stage);

    /// <summary>Keeps the tasks of an array, before anything else is submitted.</summary>
    public void Add(string array, IReadOnlyList<string> stages)
    {
        for (var i = 0; i < stages.Count; i++) _jobs[stages[i]] = $"{array}_{i}";
        OptionsFile.Save(_path, _jobs);
    }
}
