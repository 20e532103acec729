using System.CommandLine;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Siamorph.Training;

namespace Siamorph.Cli;

/// <summary>
/// One flag for every property of an options record: `BatchSize` is `--batch-size`, and `Data.BatchSize` of a nested
/// record is `--data-batch-size`, or `--set data.batchSize=…`. Lists are comma-separated. Help shows the flags that people
/// change; `--options-help` lists all of them. What is not flagged comes from `--options FILE`, then from the preset or the
/// defaults. Help texts are the summaries of the record's own documentation.
/// </summary>
internal sealed class OptionsBinder<T> where T : class
{
    private readonly IReadOnlyDictionary<string, T> _presets;
    private readonly Action<T>? _validate;
    private readonly List<OptionFlag> _flags = [];
    private readonly Option<string?> _preset = new("--preset");

    /// <param name="defaults">What holds where neither a file nor a flag says otherwise.</param>
    /// <param name="validate">Throws <see cref="InvalidOptionsException"/> with every fault of the resolved options.</param>
    /// <param name="except">Properties that get no flag, such as those the verb takes as arguments.</param>
    public OptionsBinder(T defaults, Action<T>? validate = null, params IEnumerable<string> except)
        : this(new Dictionary<string, T> { [""] = defaults }, validate, except) { }

    /// <param name="presets">Named sets of defaults for `--preset`; the first is used where none is named.</param>
    /// <param name="validate">Throws <see cref="InvalidOptionsException"/> with every fault of the resolved options.</param>
    /// <param name="except">Properties that get no flag.</param>
    public OptionsBinder(IReadOnlyDictionary<string, T> presets, Action<T>? validate = null, params IEnumerable<string> except)
    {
        (_presets, _validate) = (presets, validate);
        AddFlags(typeof(T), OptionsFile.ToNode(presets.First().Value), [], except.ToHashSet(StringComparer.Ordinal));
    }

    /// <summary>`--dry-run`.</summary>
    public Option<bool> DryRun { get; } = new("--dry-run") { Description = "Prints the resolved options as JSON and stops." };

    /// <summary>`--options FILE`.</summary>
    public Option<string?> File { get; } = new("--options")
    {
        Description = "JSON file with options; flags override it.", HelpName = "file",
    };

    /// <summary>`--set KEY=VALUE`.</summary>
    public Option<string[]> Settings { get; } = new("--set")
    {
        Description = "Sets any option by its key, such as --set base.learningRate=1e-3; can be given several times. "
            + "--options-help lists all keys.",
        HelpName = "key=value",
    };

    /// <summary>Shows these flags alone in the help; the others work as well.</summary>
    public OptionsBinder<T> Show(params string[] names)
    {
        foreach (var flag in _flags) flag.Option.Hidden = !names.Contains(flag.Option.Name);
        if (names.FirstOrDefault(n => _flags.All(f => f.Option.Name != n)) is { } unknown)
            throw new ArgumentException($"{unknown} is no flag of {typeof(T).Name}.", nameof(names));
        return this;
    }

    /// <summary>Gives the command its flags.</summary>
    public void AddTo(Command command)
    {
        if (HasPresets)
        {
            _preset.HelpName = string.Join('|', _presets.Keys);
            _preset.Description = $"Named defaults, which other options change [default: {_presets.Keys.First()}].";
            command.Options.Add(_preset);
        }
        foreach (var flag in _flags) command.Options.Add(flag.Option);
        command.Options.Add(Settings);
        command.Options.Add(File);
        command.Options.Add(DryRun);
        command.Options.Add(new Option<bool>("--options-help")
        {
            Description = "Lists every option with its key, type, default and meaning.", Action = new OptionsHelp(_flags),
        });
    }

    /// <summary>Defaults, overridden by the file, overridden by flags.</summary>
    /// <exception cref="InvalidOptionsException">An unknown preset or key, or a value that does not fit.</exception>
    public T Resolve(ParseResult parsed)
    {
        var merged = OptionsFile.ToNode(Preset(parsed.GetValue(_preset)));
        if (parsed.GetValue(File) is { } path)
        {
            var given = OptionsFile.ReadObject(path);
            _ = OptionsFile.FromJson<T>(given.DeepClone().AsObject(), path); // names faults with the file's name
            OptionsFile.Merge(merged, given);
        }
        foreach (var setting in parsed.GetValue(Settings) ?? []) Set(setting, merged);
        foreach (var flag in _flags) flag.Apply(parsed, merged);
        var options = OptionsFile.FromJson<T>(merged, "options");
        _validate?.Invoke(options);
        return options;
    }

    private void Set(string setting, JsonObject merged)
    {
        if (setting.IndexOf('=', StringComparison.Ordinal) is not (> 0 and var at))
            throw new InvalidOptionsException($"--set {setting}: write key=value, such as --set {_flags[0].Key}=….");
        var key = setting[..at].Trim();
        var flag = _flags.FirstOrDefault(f => f.Key.Equals(key, StringComparison.OrdinalIgnoreCase));
        if (flag is null)
        {
            if (_flags.FirstOrDefault(f => key.Equals(f.FormerKey, StringComparison.OrdinalIgnoreCase)) is { } renamed)
                throw new InvalidOptionsException($"--set {key}: this option {renamed.Former!.Hint(renamed.Key)}");
            var meant = ClosestName.To(key, _flags.Select(f => f.Key)) is { } near ? $" Did you mean {near}?" : "";
            throw new InvalidOptionsException($"--set {key}: unknown option.{meant} --options-help lists all options.");
        }
        flag.Set(setting[(at + 1)..], merged);
    }

    private bool HasPresets => _presets.Count > 1;

    private T Preset(string? name)
    {
        if (name is null) return _presets.First().Value;
        return _presets.TryGetValue(name, out var preset)
            ? preset
            : throw new InvalidOptionsException($"--preset {name}: unknown; use one of {string.Join(", ", _presets.Keys)}.");
    }

    private void AddFlags(Type type, JsonObject defaults, string[] path, HashSet<string> except)
    {
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (!property.CanWrite || except.Contains(property.Name)) continue;
            var key = JsonNamingPolicy.CamelCase.ConvertName(property.Name);
            var value = defaults.TryGetPropertyValue(key, out var node) ? node : null;
            var core = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            if (OptionFlag.IsPlain(core) || OptionFlag.ItemOf(core) is not null)
                _flags.Add(new OptionFlag([.. path, key], property, core, value));
            else if (value is JsonObject inner) AddFlags(core, inner, [.. path, key], except);
        }
    }
}
