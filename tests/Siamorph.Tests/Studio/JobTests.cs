using System.Net;
using System.Security.Cryptography;
using Siamorph.Data.Phantom;
using Siamorph.Imaging;
using Siamorph.Studio;
using Siamorph.Studio.Jobs;

namespace Siamorph.Tests.Studio;

/// <summary>Work that pages start: it outlives the Studio, stops when asked, and goes on where it was.</summary>
public sealed class JobTests : IDisposable
{
    private static readonly (string, string)[] Small =
    [
        ("data", "data"), ("--image-size", "32"), ("--network-model-channels", "32"), ("--network-heads", "4"),
        ("--network-context-width", "16"),
        ("--network-hint-width", "4"), ("--base-batch-size", "4"), ("--siamese-batch-size", "4"), ("--preview-every", "0"),
        ("--checkpoint-every", "5"), ("--threads", "1"),
    ];

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly TemporaryFolder _folder = new();

    public JobTests() =>
        PhantomDataset.Write(_folder["data"], new PhantomOptions
        {
            Count = 12, Size = new ImageSize(32, 32), FramesPerCase = 1,
        }, NullMonitor.Instance);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Training_Killed_ResumesToTheSameWeights()
    {
        await using var studio = await StudioHost.Start(_folder.Path);
        var whole = await Queue(studio, "whole", 12, 12);
        Assert.Equal(JobState.Done, Ended(whole));

        var killed = await Queue(studio, "killed", 12, 12);
        Wait(() => Directory.Exists(_folder["killed", "checkpoints", "step-000005"]));
        File.WriteAllText(killed.KillPath, "");
        Wait(() => killed.Status.State == JobState.Interrupted);
        using (var page = await studio.Owner.GetAsync($"/job/{killed.Id}"))
            Assert.Contains("Resume", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        (await studio.Post($"/job/{killed.Id}/resume")).Dispose();
        Wait(() => killed.Status.State is not (JobState.Interrupted or JobState.Queued));
        Assert.Equal(JobState.Done, Ended(killed));
        Assert.Equal(Weights("whole"), Weights("killed"));
    }

    [Fact]
    public async Task Jobs_WaitForEachOther_StopWhenAsked_AndOutliveTheStudio()
    {
        JobFolder first, second;
        await using (var studio = await StudioHost.Start(_folder.Path))
        {
            first = await Queue(studio, "first", 4000, 10);
            second = await Queue(studio, "second", 2, 2);
            Wait(() => first.Status.State == JobState.Running);
            Assert.Equal(JobState.Queued, second.Status.State);
        }
        Assert.Equal(JobState.Running, first.Status.State); // the Studio is gone
        await using (var studio = await StudioHost.Start(_folder.Path))
        {
            Assert.Contains("At work", await studio.Owner.GetStringAsync("/jobs"), StringComparison.Ordinal);
            using (var refused = await studio.Post($"/job/{first.Id}/remove"))
                Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
            using (var refused = await studio.Post($"/job/{first.Id}/kill"))
                Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
            (await studio.Post($"/job/{first.Id}/stop")).Dispose();
            Assert.Equal(JobState.Stopped, Ended(first));
            Assert.Equal(JobState.Done, Ended(second)); // its turn has come
            Assert.NotNull(JobProgress.Read(second.ProgressPath));
            (await studio.Post($"/job/{second.Id}/remove")).Dispose();
            Assert.False(second.Exists);
            Assert.True(Directory.Exists(_folder["second", "checkpoints"]));
        }
    }

    [Fact]
    public async Task Job_OutlivesAStudioThatIsKilled_AndLoadsNoTorch()
    {
        JobFolder job;
        using (var studio = new StudioProcess(_folder.Path))
        {
            using var client = new HttpClient { BaseAddress = new(studio.Link.Split("/enter")[0]) };
            var page = await client.GetStringAsync(studio.Link);
            (await client.GetAsync("/new/train")).Dispose();
            using var queued = await StudioHost.Post(client, "/new/train", page.Split("data-token=\"")[1].Split('"')[0],
                client.BaseAddress!.ToString().TrimEnd('/'), [.. Options("run", 30, 2)]);
            job = new JobFolder(_folder[".studio", "jobs", queued.RequestMessage!.RequestUri!.Segments[^1]]);
            Wait(() => job.Status.State == JobState.Running);
            (await client.GetAsync("/run?at=run")).Dispose();
            if (OperatingSystem.IsLinux())
                Assert.DoesNotContain("libtorch", File.ReadAllText($"/proc/{studio.Process.Id}/maps"), StringComparison.Ordinal);
            studio.Kill();
        }
        Assert.Equal(JobState.Done, Ended(job));
        await using var next = await StudioHost.Start(_folder.Path);
        Assert.Contains("Done.", await next.Owner.GetStringAsync($"/job/{job.Id}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Forms_CheckByTheVerbItself()
    {
        await using var studio = await StudioHost.Start(_folder.Path);
        using var good = await studio.Post("/new/train/check", [.. Options("run", 3, 3)]);
        Assert.Contains("This can run.", await good.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var bad = await studio.Post("/new/train/check", [.. Options("run", 3, 3), ("--base-learning-rate", "-1")]);
        Assert.Contains("learningRate", await bad.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var missing = await studio.Post("/new/train", ("data", "data"));
        Assert.Equal(HttpStatusCode.BadRequest, missing.StatusCode);
        Assert.Contains("is missing", await missing.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public void Queue_IsReordered_AndOrderOutlivesIt()
    {
        var root = new RootFolder(_folder.Path);
        var queue = new JobQueue(root, ["false"]);
        JobFolder[] jobs = [.. Enumerable.Range(1, 3)
            .Select(i => queue.Add(new($"{i}", ["x"], ["x"], root.Path, null, DateTimeOffset.UtcNow)))];
        queue.MoveUp(jobs[2]);
        queue.MoveUp(jobs[0]); // is first already
        Assert.Equal(["1", "3", "2"], new JobQueue(root, ["false"]).All.Select(j => j.Job.Title));
    }

    private static IEnumerable<(string, string)> Options(string run, int baseSteps, int siameseSteps) =>
        [.. Small, ("--out", run), ("--base-steps", $"{baseSteps}"), ("--siamese-steps", $"{siameseSteps}")];

    private async Task<JobFolder> Queue(StudioHost studio, string run, int baseSteps, int siameseSteps)
    {
        using var response = await studio.Post("/new/train", [.. Options(run, baseSteps, siameseSteps)]);
        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
        return new JobFolder(_folder[".studio", "jobs", response.Headers.Location!.ToString().Split('/')[^1]]);
    }

    private static JobState Ended(JobFolder job)
    {
        Wait(() => job.Status.State is not (JobState.Queued or JobState.Running), job);
        return job.Status.State;
    }

    private static void Wait(Func<bool> happens, JobFolder? job = null) =>
        Assert.True(SpinWait.SpinUntil(() => { Thread.Sleep(50); return happens(); }, Patience), job?.ConsoleTail()
        ?? "it did not happen");

    private string Weights(string run)
    {
        var last = Directory.GetDirectories(_folder[run, "checkpoints"]).Order(StringComparer.Ordinal).Last();
        return string.Join('\n', Directory.GetFiles(last, "*.safetensors").Order(StringComparer.Ordinal)
            .Select(f => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(f)))));
    }
}
