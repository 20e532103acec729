using Siamorph.Diffusion;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Siamese.WeightFiles;

/// <summary>
/// What is converted: a weight file, read tensor by tensor, or a run of `train`, whose model is put together in memory.
/// </summary>
internal sealed class ConvertSource : IDisposable
{
    private readonly IDisposable _owner;

    private ConvertSource(WeightTable weights, IReadOnlyList<string> notes, IDisposable owner) =>
        (Weights, Notes, _owner) = (weights, notes, owner);

    /// <summary>Every tensor.</summary>
    public WeightTable Weights { get; }

    /// <summary>What was passed over or put together.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <exception cref="SiamorphException">It can't be read.</exception>
    public static ConvertSource Open(string path)
    {
        if (RunCheckpoint.At(path) is not { } run)
        {
            var file = WeightsFile.Open(path);
            return new(file, file.Notes, file);
        }
        if (!run.IsSiamese) return Open(run.ModelPath, run);
        var pipeline = SiamesePipeline.LoadCheckpoint(run.Folder);
        var below = run.BaseWeights is { } given ? $" and what it is built on ({given})" : "";
        return new(Whole(pipeline), [$"the whole model of the run ({run.Progress}){below}; averaged weights and LoRA, where "
            + $"there are any, are part of it"], pipeline);
    }

    private static ConvertSource Open(string model, RunCheckpoint run)
    {
        var file = WeightsFile.Open(model);
        return new(file, [$"the weights of a checkpoint of `segment train` ({run.Progress})"], file);
    }

    // The authors' files repeat the schedule; that of the run, not of the paper.
    private static WeightTable Whole(SiamesePipeline pipeline)
    {
        var schedule = pipeline.Options.Autoencoder is null ? []
            : ScheduleBuffers.Of(new NoiseSchedule(pipeline.Options.Schedule))
            .Select(b => new WeightEntry(b.Key, ScalarType.Float32, [b.Value.Length], () => tensor(b.Value)));
        return new([.. schedule, .. WeightTable.Of(pipeline.Tensors()).Entries]);
    }

    public void Dispose() => _owner.Dispose();
}
