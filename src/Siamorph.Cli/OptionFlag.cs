using System.Collections;
using System.CommandLine;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Siamorph.Imaging;
using Siamorph.Training;

namespace Siamorph.Cli;

/// <summary>One property of an options record, as a flag and as a key of the options file.</summary>
internal sealed class OptionFlag
{
    private readonly string[] _path;
    private readonly Type _type;
    private readonly bool _canBeNull;

    public OptionFlag(string[] path, PropertyInfo property, Type type, JsonNode? value)
    {
        (_path, _type) = (path, type);
        _canBeNull = Nullable.GetUnderlyingType(property.PropertyType) is not null || !type.IsValueType;
        Former = FormerNames.Of(property);
        var former = Former is null ? null : NameOf([.. path[..^1], Former.Name]);
        Option = type == typeof(bool) ? new Flag<bool>(NameOf(path), former, Former)
            : new Flag<string>(NameOf(path), former, Former);
        Option.HelpName = HelpName(type);
        Option.Description = $"{DocumentationSummary.Property(property)} {DefaultText(value)}".Trim();
    }

    public Option Option { get; }

    /// <summary>What it was called in the version before; null where it has its first name.</summary>
    public FormerNameAttribute? Former { get; }

    /// <summary>The key it had in the version before, or null.</summary>
    public string? FormerKey => Former is null ? null : string.Join('.', [.. _path[..^1], Former.Name]);

    /// <summary>Its place in the options file, such as "base.learningRate".</summary>
    public string Key => string.Join('.', _path);

    /// <summary>What a value looks like.</summary>
    public string Kind => _type == typeof(bool) ? "true|false" : HelpName(_type) ?? "text";

    public static bool IsPlain(Type type) =>
        type.IsPrimitive || type.IsEnum || type == typeof(string) || type == typeof(decimal) || type == typeof(Seed)
        || type == typeof(ImageSize);

    public static Type? ItemOf(Type type) => type.IsGenericType && typeof(IEnumerable).IsAssignableFrom(type)
        && type.GetGenericArguments() is [var item] && IsPlain(item) ? item : null;

    /// <summary>Takes over what the command line says, if it does.</summary>
    /// <exception cref="InvalidOptionsException">The value does not fit.</exception>
    public void Apply(ParseResult parsed, JsonObject options)
    {
        if (parsed.GetResult(Option) is not { Implicit: false } result) return;
        Put(options, Option is Option<bool> yes ? result.GetValue(yes)
            : Node(result.GetValue((Option<string>)Option)!, Option.Name));
    }

    /// <summary>Takes over a value given as text; "null" is none.</summary>
    /// <exception cref="InvalidOptionsException">The value does not fit.</exception>
    public void Set(string text, JsonObject options)
        => Put(options, text == "null" && _canBeNull ? null : _type == typeof(bool) ? Truth(text) : Node(text, $"--set {Key}"));

    private static string NameOf(string[] path) =>
        "--" + string.Join('-', path.Select(JsonNamingPolicy.KebabCaseLower.ConvertName));

    private void Put(JsonObject options, JsonNode? value)
    {
        var target = options;
        foreach (var key in _path[..^1]) target = target[key]!.AsObject();
        target[_path[^1]] = value;
    }

    private bool Truth(string text) => text switch
    {
        "true" => true,
        "false" => false,
        _ => throw new InvalidOptionsException($"--set {Key} {text}: expected true or false."),
    };

    private JsonNode? Node(string text, string name)
    {
        if (ItemOf(_type) is not { } item) return Node(text, _type, name);
        string[] items = text.Length == 0 ? [] : text.Split(',', StringSplitOptions.TrimEntries);
        return new JsonArray([.. items.Select(i => Node(i, item, name))]);
    }

    private static JsonNode? Node(string text, Type type, string name)
    {
        if (type == typeof(string) || type == typeof(ImageSize)) return text;
        try
        {
            if (type == typeof(Seed)) return (ulong)NumberText.Parse(text, typeof(ulong));
            if (NumberText.Reads(type)) return JsonSerializer.SerializeToNode(NumberText.Parse(text, type), type,
                OptionsFile.Json);
            if (type.IsEnum) return JsonSerializer.SerializeToNode(Named(text, type), type, OptionsFile.Json);
            return JsonSerializer.SerializeToNode(Convert.ChangeType(text, type, CultureInfo.InvariantCulture), type,
                OptionsFile.Json);
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentException)
        {
            throw new InvalidOptionsException(
                $"{name} {text}: expected {Expected(type)}{(type.IsEnum ? "" : NumberText.Hint(text))}.");
        }
    }

    private static object Named(string text, Type type) =>
        int.TryParse(text, out _) ? throw new FormatException()
        : Enum.Parse(type, text.Replace("-", "", StringComparison.Ordinal), ignoreCase: true);

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
