using System.Globalization;

namespace Siamorph.Weights.PyTorch;

/// <summary>
/// Finds the tensors in what a PyTorch pickle holds: a state dict, a trainer's checkpoint around one, or any nesting.
/// </summary>
internal sealed class TorchContents
{
    private const int Deepest = 64;
    private const int MostItems = 4_000_000;
    private const int MostRepeats = 8;

    // Where trainers put the weights, most telling first; what else lies beside them is passed over.
    private static readonly string[] StateDicts =
        ["state_dict", "model_state_dict", "module", "model", "params_ema", "params", "net", "network", "generator",
        "ema", "weights"];

    private static readonly string[] Wrappers = ["_forward_module.", "module.", "_orig_mod."];

    private readonly List<(string Name, TorchTensor Tensor)> _tensors = [];
    private readonly HashSet<object> _open = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<object, int> _visits = new(ReferenceEqualityComparer.Instance); // 0: holds no tensors
    private int _items;

    /// <summary>The tensors by name, in the order of the pickle.</summary>
    public IReadOnlyList<(string Name, TorchTensor Tensor)> Tensors { get; private set; } = [];

    /// <summary>What was passed over or renamed.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>The storages that any tensor shows, also those passed over.</summary>
    public HashSet<TorchStorage> Shown { get; } = [];

    /// <exception cref="PickleException">The objects contain themselves, are nested too deep, or hold no tensors.</exception>
    public static TorchContents Of(object? root)
    {
        var contents = new TorchContents();
        contents.Read(root);
        return contents;
    }

    private void Read(object? root)
    {
        Collect("", root);
        if (_tensors.Count == 0) throw new PickleException("the pickle holds no tensors");
        var found = Inner(root) is { } wrapper ? Only(wrapper) : _tensors;
        Tensors = Unwrapped(found);
        var repeated = Tensors.GroupBy(t => t.Name).FirstOrDefault(g => g.Skip(1).Any());
        if (repeated is not null) throw new PickleException($"the pickle holds two tensors named '{repeated.Key}'");
    }

    private static string? Inner(object? root) =>
        root is not PickleDict dict ? null : Array.Find(StateDicts, name => HoldsTensors(dict[name]));

    private static bool HoldsTensors(object? value) => value is PickleDict dict
        && dict.Pairs.Exists(p => p.Key is string && p.Value is TorchTensor);

    private List<(string, TorchTensor)> Only(string wrapper)
    {
        var prefix = wrapper + ".";
        var others = _tensors.Where(t => !t.Name.StartsWith(prefix, StringComparison.Ordinal)).ToList();
        if (others.Count > 0)
        {
            var places = others.Select(t => t.Name.Split('.')[0]).Distinct().Take(5);
            Notes.Add($"{others.Count} tensors beside '{wrapper}' are ignored ({string.Join(", ", places)})");
        }
        return [.. _tensors.Where(t => t.Name.StartsWith(prefix, StringComparison.Ordinal))
            .Select(t => (t.Name[prefix.Length..], t.Tensor))];
    }

    private IReadOnlyList<(string Name, TorchTensor Tensor)> Unwrapped(IReadOnlyList<(string Name, TorchTensor Tensor)> tensors)
    {
        while (Array.Find(Wrappers, w =>
            tensors.All(t => t.Name.StartsWith(w, StringComparison.Ordinal) && t.Name.Length > w.Length)) is { } wrapper)
        {
            Notes.Add($"every name began with '{wrapper}', which was taken away");
            tensors = [.. tensors.Select(t => (t.Name[wrapper.Length..], t.Tensor))];
        }
        return tensors;
    }

    private void Collect(string name, object? value)
    {
        if (++_items > MostItems) throw new PickleException($"the pickle holds more than {MostItems} things");
        switch (value)
        {
            case TorchTensor tensor:
                _tensors.Add((name.Length > 0 ? name : "tensor", tensor));
                Shown.Add(tensor.Storage);
                break;
            case PickleDict dict:
                Within(dict, () => { foreach (var (key, item) in dict.Pairs) CollectKey(name, key, item); });
                break;
            case PickleList list:
                Within(list, () => CollectItems(name, list.Items));
                break;
            case PickleTuple tuple:
                Within(tuple, () => CollectItems(name, tuple.Items));
                break;
            case PickleName function:
                throw new PickleException($"the pickle holds {function.Full} itself where '{name}' should be");
        }
    }

    private void CollectKey(string name, object? key, object? item)
    {
        var text = key switch { string s => s, long number => number.ToString(CultureInfo.InvariantCulture), _ => null };
        if (text is not null) Collect(Joined(name, text), item);
        else if (item is TorchTensor) throw new PickleException(
            $"the pickle holds a tensor under a key that is no text{(name.Length > 0 ? $", in '{name}'" : "")}");
    }

    private void CollectItems(string name, IReadOnlyList<object?> items)
    {
        for (var i = 0; i < items.Count; i++) Collect(Joined(name, i.ToString(CultureInfo.InvariantCulture)), items[i]);
    }

    private void Within(object container, Action visit)
    {
        var visits = _visits.GetValueOrDefault(container, 1);
        if (visits == 0) return;
        if (visits > MostRepeats) throw new PickleException($"the pickle repeats the same tensors more than {MostRepeats} times");
        if (!_open.Add(container)) throw new PickleException("the pickle holds an object that contains itself");
        if (_open.Count > Deepest) throw new PickleException($"the pickle nests its objects deeper than {Deepest}");
        var before = _tensors.Count;
        visit();
        _open.Remove(container);
        _visits[container] = _tensors.Count == before ? 0 : visits + 1;
    }

    private static string Joined(string name, string key) => name.Length == 0 ? key : $"{name}.{key}";
}
