using Siamorph.Training;

namespace Siamorph.Studio.Jobs;

/// <summary>
/// The files of a job. Whoever runs it holds its lock, so a job whose state is "running" and whose lock is free was interrupted.
/// </summary>
internal sealed class JobFolder(string path)
{
    public string Path { get; } = System.IO.Path.GetFullPath(path);

    public string Id => System.IO.Path.GetFileName(Path);

    public string ProgressPath => In("progress.jsonl");

    public string ConsolePath => In("console.log");

    public string StopPath => In("stop");

    public string KillPath => In("kill");

    private string JobPath => In("job.json");

    private string StatePath => In("state.json");

    public bool Exists => File.Exists(JobPath);

    public JobFile Job => OptionsFile.Load<JobFile>(JobPath);

    public void Save(JobFile job) => OptionsFile.Save(JobPath, job);

    public void Save(JobStatus status) => OptionsFile.Save(StatePath, status);

    /// <summary>Where it stands now.</summary>
    public JobStatus Status
    {
        get
        {
            var status = File.Exists(StatePath) ? OptionsFile.Load<JobStatus>(StatePath) : new(JobState.Queued);
            if (status.State != JobState.Running || FolderLock.IsHeld(Path)) return status;
            // It may have ended between the two looks.
            var again = OptionsFile.Load<JobStatus>(StatePath);
            return again.State == JobState.Running ? again with { State = JobState.Interrupted } : again;
        }
    }

    public bool StopAsked => File.Exists(StopPath);

    /// <summary>When the stop was asked for.</summary>
    public DateTime? StopAskedAt => File.Exists(StopPath) ? File.GetLastWriteTimeUtc(StopPath) : null;

    /// <summary>The end of what the job printed.</summary>
    public string ConsoleTail(int most = 16384) => Tail(ConsolePath, most);

    /// <summary>The last characters of a file that may be growing, from the beginning of a line.</summary>
    public static string Tail(string path, int most)
    {
        if (!File.Exists(path)) return "";
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var cut = file.Length > most;
        if (cut) file.Seek(-most, SeekOrigin.End);
        using var reader = new StreamReader(file);
        var text = reader.ReadToEnd();
        return cut ? text[(text.IndexOf('\n', StringComparison.Ordinal) + 1)..] : text;
    }

    private string In(string name) => System.IO.Path.Combine(Path, name);
}
