using System.Collections;
using System.CommandLine;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Siamorph.Imaging;
using Siamorph.Training;

namespace Siamorph.Cli;

/// <summary>
/// One flag for every property of an options record: `BatchSize` is `--batch-size`, and `Data.BatchSize` of a nested
/// record is `--data-batch-size`. Lists are comma-separated. What is not flagged comes from `--options FILE`, then from
/// the preset or the defaults. Help texts are the summaries of the record's own documentation.
/// </summary>
internal sealed class OptionsBinder<T> where T : class
{
    private readonly IReadOnlyDictionary<string, T> _presets;
    private readonly Action<T>? _validate;
    private readonly List<Flag> _flags = [];
    private readonly Option<string?> _preset = new("--preset") { HelpName = "name" };

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
    public Option<string?> File { get; } = new("--options") { Description = "JSON file with options; flags override it.", HelpName = "file" };

    /// <summary>Gives the command its flags.</summary>
    public void AddTo(Command command)
    {
        if (HasPresets)
        {
            _preset.Description = $"Named defaults: {string.Join(", ", _presets.Keys)} [default: {_presets.Keys.First()}].";
            command.Options.Add(_preset);
        }
        foreach (var flag in _flags) command.Options.Add(flag.Option);
        command.Options.Add(File);
        command.Options.Add(DryRun);
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
        foreach (var flag in _flags) flag.Apply(parsed, merged);
        var options = OptionsFile.FromJson<T>(merged, "options");
        _validate?.Invoke(options);
        return options;
    }

    private bool HasPresets => _presets.Count > 1;

    private T Preset(string? name)
    {
        if (name is null) return _presets.First().Value;
        return _presets.TryGetValue(name, out var preset)
            ? preset
            : throw new InvalidOptionsException($"--preset {name}: unknown; there are {string.Join(", ", _presets.Keys)}.");
    }

    private void AddFlags(Type type, JsonObject defaults, string[] path, HashSet<string> except)
    {
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (!property.CanWrite || except.Contains(property.Name)) continue;
            var key = JsonNamingPolicy.CamelCase.ConvertName(property.Name);
            var value = defaults.TryGetPropertyValue(key, out var node) ? node : null;
            var core = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            if (Flag.IsPlain(core) || Flag.ItemOf(core) is not null) _flags.Add(new Flag([.. path, key], property, core, value));
            else if (value is JsonObject inner) AddFlags(core, inner, [.. path, key], except);
        }
    }

    private sealed class Flag
    {
        private readonly string[] _path;
        private readonly Type _type;

        public Flag(string[] path, PropertyInfo property, Type type, JsonNode? value)
        {
            (_path, _type) = (path, type);
            var name = "--" + string.Join('-', path.Select(JsonNamingPolicy.KebabCaseLower.ConvertName));
            Option = type == typeof(bool) ? new Option<bool>(name) : new Option<string>(name);
            Option.HelpName = HelpName(type);
            Option.Description = $"{SummaryOf.Property(property)} {DefaultText(value)}".Trim();
        }

        public Option Option { get; }

        public static bool IsPlain(Type type) =>
            type.IsPrimitive || type.IsEnum || type == typeof(string) || type == typeof(decimal) || type == typeof(Seed) || type == typeof(ImageSize);

        public static Type? ItemOf(Type type) => type.IsGenericType && typeof(IEnumerable).IsAssignableFrom(type)
            && type.GetGenericArguments() is [var item] && IsPlain(item) ? item : null;

        public void Apply(ParseResult parsed, JsonObject options)
        {
            if (parsed.GetResult(Option) is not { Implicit: false } result) return;
            var target = options;
            foreach (var key in _path[..^1]) target = target[key]!.AsObject();
            target[_path[^1]] = Option is Option<bool> yes
                ? result.GetValue(yes)
                : Node(result.GetValue((Option<string>)Option)!);
        }

        private JsonNode? Node(string text)
        {
            if (ItemOf(_type) is not { } item) return Node(text, _type);
            string[] items = text.Length == 0 ? [] : text.Split(',', StringSplitOptions.TrimEntries);
            return new JsonArray([.. items.Select(i => Node(i, item))]);
        }

        private JsonNode? Node(string text, Type type)
        {
            if (type == typeof(string) || type == typeof(ImageSize)) return text;
            try
            {
                if (type == typeof(Seed)) return (ulong)NumberText.Parse(text, typeof(ulong));
                if (NumberText.Reads(type)) return JsonSerializer.SerializeToNode(NumberText.Parse(text, type), type, OptionsFile.Json);
                if (type.IsEnum) return JsonSerializer.SerializeToNode(Named(text, type), type, OptionsFile.Json);
                return JsonSerializer.SerializeToNode(Convert.ChangeType(text, type, CultureInfo.InvariantCulture), type, OptionsFile.Json);
            }
            catch (Exception e) when (e is FormatException or OverflowException or ArgumentException)
            {
                throw new InvalidOptionsException($"{Option.Name} {text}: expected {Expected(type)}{(type.IsEnum ? "" : NumberText.Hint(text))}.");
            }
        }

        private static object Named(string text, Type type) =>
            int.TryParse(text, out _) ? throw new FormatException() : Enum.Parse(type, text.Replace("-", "", StringComparison.Ordinal), ignoreCase: true);

        private static string Expected(Type type) => type switch
        {
            { IsEnum: true } => $"one of {Names(type, ", ")}",
            _ when type == typeof(bool) => "true or false",
            _ => NumberText.Expected(type),
        };

        private static string? HelpName(Type type) => type switch
        {
            { IsEnum: true } => Names(type, "|"),
            _ when type == typeof(bool) => null,
            _ when type == typeof(string) => "text",
            _ when type == typeof(ImageSize) => "WxH",
            _ => ItemOf(type) is null ? "n" : "a,b,…",
        };

        private static string Names(Type type, string separator) =>
            string.Join(separator, Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName));

        private static string DefaultText(JsonNode? value) => value switch
        {
            null => "",
            JsonArray list => $"[default: {string.Join(',', list.Select(i => i?.ToString()))}]",
            _ => value.ToString() is { Length: > 0 } text ? $"[default: {text}]" : "",
        };
    }
}
