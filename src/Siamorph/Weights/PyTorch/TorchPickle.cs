using static TorchSharp.torch;

namespace Siamorph.Weights.PyTorch;

/// <summary>
/// Reads the pickle of a PyTorch file without executing anything. The names that tensors need are answered by descriptions
/// of storages and tensors; names of trainers' extras (Lightning, DeepSpeed, NumPy scalars) by objects that do nothing; any
/// other name is an error.
/// </summary>
internal sealed class TorchPickle : IPickleWorld
{
    private const int MostStorages = 1_000_000;

    private static readonly Dictionary<string, ScalarType> StorageTypes = new()
    {
        ["DoubleStorage"] = ScalarType.Float64, ["FloatStorage"] = ScalarType.Float32, ["HalfStorage"] = ScalarType.Float16,
        ["BFloat16Storage"] = ScalarType.BFloat16, ["LongStorage"] = ScalarType.Int64, ["IntStorage"] = ScalarType.Int32,
        ["ShortStorage"] = ScalarType.Int16, ["CharStorage"] = ScalarType.Int8, ["ByteStorage"] = ScalarType.Byte,
        ["BoolStorage"] = ScalarType.Bool, ["UntypedStorage"] = ScalarType.Byte,
    };

    private static readonly HashSet<string> Rebuilders =
    [
        "collections.OrderedDict", "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_parameter_with_state", "torch._tensor._rebuild_from_type_v2", "torch.Tensor",
        "torch.nn.parameter.Parameter",
    ];

    // What checkpoints hold beside tensors; never made, only passed over.
    private static readonly HashSet<string> Extras =
    [
        "torch.Size", "torch.device", "torch.dtype", "torch.Generator", "torch.float16", "torch.bfloat16", "torch.float32",
        "torch.float64",
        "torch.int64", "torch.int32", "torch.uint8", "torch.bool", "argparse.Namespace", "collections.defaultdict",
        "collections.Counter",
        "pathlib.PosixPath", "pathlib.WindowsPath", "pathlib.Path", "pathlib.PurePosixPath", "typing.Any", "_codecs.encode",
        "enum.Enum",
        "numpy.dtype", "numpy.ndarray", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar",
        "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct",
    ];

    private static readonly HashSet<string> ExtraBuiltins =
        ["set", "frozenset", "list", "dict", "tuple", "int", "float", "bool", "str", "bytes", "bytearray", "complex", "slice",
        "range", "object"];

    private static readonly string[] ExtraFamilies =
        ["pytorch_lightning.", "lightning.", "lightning_fabric.", "lightning_utilities.", "omegaconf.", "deepspeed.",
        "torch.optim.lr_scheduler.", "datetime."];

    private readonly Dictionary<string, TorchStorage> _storages = [];

    /// <summary>Every storage that the pickle spoke of, by key.</summary>
    public IReadOnlyDictionary<string, TorchStorage> Storages => _storages;

    /// <summary>Whether objects were passed over, which may have held tensors.</summary>
    public bool HasExtras { get; private set; }

    public object Named(string module, string name)
    {
        var full = $"{module}.{name}";
        if (Rebuilders.Contains(full) || (module is "torch" or "torch.cuda" or "torch.storage" && StorageTypes.ContainsKey(name)))
            return new PickleName(module, name);
        if (Extras.Contains(full) || Array.Exists(ExtraFamilies, f => full.StartsWith(f, StringComparison.Ordinal))
            || (module is "builtins" or "__builtin__" && ExtraBuiltins.Contains(name)))
            return Extra(full);
        if (module.StartsWith("__torch__", StringComparison.Ordinal))
            throw new PickleException($"it is a TorchScript program ({full}), not plain weights: save its state_dict() instead");
        throw new PickleException(
            $"the pickle asks for '{Shown(full)}', which stored tensors don't need. Nothing was executed. Don't trust the file: "
                + $"get its safetensors version, or save only the state_dict");
    }

    public object? Called(object? callee, object? arguments)
    {
        if (callee is PickleExtra extra)
            return extra.Name is "torch.Size" or "builtins.tuple" or "builtins.list" ? First(arguments) : extra;
        if (callee is not PickleName name || arguments is not PickleTuple { Items: var items })
            throw new PickleException("the pickle calls what is no function");
        return (name.Name, items) switch
        {
            ("OrderedDict", []) => new PickleDict(),
            ("OrderedDict", [var pairs]) => Dictionary(pairs),
            ("_rebuild_tensor" or "_rebuild_tensor_v2", [TorchStorage storage, long offset, var shape, var strides, ..]) =>
                Checked(new(storage, offset, Sizes(shape), Sizes(strides))),
            ("_rebuild_parameter" or "_rebuild_parameter_with_state" or "Parameter", [TorchTensor tensor, ..]) => tensor,
            ("_rebuild_from_type_v2", [PickleName function, _, PickleTuple inner, ..]) => Called(function, inner),
            _ => throw new PickleException($"the pickle calls {name.Full} with arguments that it doesn't take"),
        };
    }

    public object? Persistent(object? id)
    {
        if (id is not PickleTuple { Items: [string and "storage", PickleName type, var key, _, long elements, .. var rest] }
            || !StorageTypes.TryGetValue(type.Name, out var dtype))
            throw new PickleException("the pickle refers to something other than the storage of a tensor");
        if (rest is [not null, ..]) throw new PickleException(
            "the pickle refers to a part of a storage, as PyTorch before 0.4 did: save it again with a newer PyTorch");
        var name = key switch { string text => text,
            long number => number.ToString(System.Globalization.CultureInfo.InvariantCulture), _ => "" };
        if (elements < 0 || elements > long.MaxValue / 8)
            throw new PickleException($"the pickle claims a storage of {elements} elements");
        var storage = new TorchStorage(name, dtype, elements);
        if (_storages.TryAdd(name, storage))
            return _storages.Count <= MostStorages ? storage
                : throw new PickleException($"the pickle has more than {MostStorages} storages");
        return _storages[name] == storage ? _storages[name]
            : throw new PickleException($"the pickle describes the storage '{Shown(name)}' in two ways");
    }

    private PickleExtra Extra(string name)
    {
        HasExtras = true;
        return new(name);
    }

    private static TorchTensor Checked(TorchTensor tensor) =>
        tensor.Fault() is { } fault ? throw new PickleException($"the pickle has a tensor that {fault}") : tensor;

    private static PickleDict Dictionary(object? pairs)
    {
        var dict = new PickleDict();
        foreach (var pair in Items(pairs) ?? throw new PickleException("the pickle makes a dictionary of what is no list"))
            dict.Pairs.Add(Items(pair) is [var key, var value] ? (key, value)
                : throw new PickleException("the pickle makes a dictionary of what are no pairs"));
        return dict;
    }

    private static IReadOnlyList<object?>? Items(object? value) => value switch
    {
        PickleTuple tuple => tuple.Items,
        PickleList list => list.Items,
        _ => null,
    };

    private static object? First(object? arguments) =>
        arguments is PickleTuple { Items: [var first, ..] } ? first : new PickleTuple([]);

    private static long[] Sizes(object? value) => Items(value) is { Count: <= 64 } items && items.All(i => i is long)
        ? [.. items.Cast<long>()]
        : throw new PickleException("the pickle has a tensor whose sizes are no short list of whole numbers");

    private static string Shown(string text) => text.Length <= 80 ? text : text[..80] + "…";
}
