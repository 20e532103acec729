using System.Text.Json.Nodes;
using Siamorph.Data;
using Siamorph.Experiment.Stages;

namespace Siamorph.Experiment.Scheduling;

/// <summary>The stages of an experiment, each once, in the order in which they were asked for.</summary>
internal sealed class StageList
{
    private readonly Dictionary<string, PlannedStage> _stages = [];
    private readonly List<PlannedStage> _order = [];

    /// <summary>Every stage, each after those it needs.</summary>
    public IReadOnlyList<PlannedStage> Stages => _order;

    /// <summary>The stage of these inputs: the one that is planned already, or a new one.</summary>
    /// <param name="inputs">All that decides its numbers.</param>
    /// <param name="name">What its folder begins with.</param>
    /// <param name="make">Makes it from its key and its folder.</param>
    public T Add<T>(JsonObject inputs, string name, Func<string, string, T> make) where T : PlannedStage
    {
        var key = ContentHash.Of(inputs.ToJsonString());
        if (_stages.TryGetValue(key, out var known)) return (T)known;
        var stage = make(key, $"{name}-{key[..8]}");
        _stages[key] = stage;
        _order.Add(stage);
        return stage;
    }
}
