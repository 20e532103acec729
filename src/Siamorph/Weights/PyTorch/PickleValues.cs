namespace Siamorph.Weights.PyTorch;

/// <summary>A list of a pickle.</summary>
internal sealed class PickleList
{
    public List<object?> Items { get; } = [];
}

/// <summary>A tuple of a pickle.</summary>
internal sealed record PickleTuple(object?[] Items);

/// <summary>A dictionary of a pickle, as the pairs that were put into it: keys are never hashed or compared.</summary>
internal sealed class PickleDict
{
    public List<(object? Key, object? Value)> Pairs { get; } = [];

    /// <summary>The last value put under a text key; null where there is none.</summary>
    public object? this[string key] => Pairs.FindLast(p => p.Key is string text && text == key).Value;
}

/// <summary>A name of a pickle that is on the list of allowed ones. It stands for nothing but itself.</summary>
internal sealed record PickleName(string Module, string Name)
{
    public string Full => $"{Module}.{Name}";
}

/// <summary>An object whose class is known to be of no interest; its contents are passed over.</summary>
internal sealed record PickleExtra(string Name);

/// <summary>What an interpreter of pickles needs to know about the world behind them.</summary>
internal interface IPickleWorld
{
    /// <summary>An object for a name; refuses every name that isn't allowed.</summary>
    object Named(string module, string name);

    /// <summary>The result of a call with these arguments.</summary>
    object? Called(object? callee, object? arguments);

    /// <summary>What a persistent id stands for.</summary>
    object? Persistent(object? id);
}
