using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Siamorph.Imaging;

namespace Siamorph.Training;

/// <summary>
/// Options records as JSON: names in camelCase, enums by name, a <see cref="Seed"/> as a number, an
/// <see cref="ImageSize"/> as "64x48". A key that the record lacks is an error; a missing key keeps its default.
/// </summary>
public static class OptionsFile
{
    /// <summary>How every options file, manifest and state of the product is written.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        AllowTrailingCommas = true,
        ReadCommentHandling = JsonCommentHandling.Skip,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase), new ImageSizeConverter() },
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    /// <summary>Reads an options record.</summary>
    /// <exception cref="InvalidOptionsException">No such file, not JSON, an unknown key or a value that does not fit.</exception>
    public static T Load<T>(string path) where T : class
    {
        var node = ReadObject(path);
        return FromJson<T>(node, path);
    }

    /// <summary>Reads an options record that the product itself wrote, in this version or the one before.</summary>
    /// <exception cref="InvalidOptionsException">As <see cref="Load{T}(string)"/>.</exception>
    internal static T LoadRecorded<T>(string path) where T : class => FromRecorded<T>(ReadObject(path), path);

    /// <summary>The same of a JSON object, which stays as it is.</summary>
    internal static T FromRecorded<T>(JsonObject recorded, string source) where T : class
    {
        var node = recorded.DeepClone().AsObject();
        FormerNames.Renew(node, typeof(T));
        return FromJson<T>(node, source);
    }

    /// <summary>The JSON object in a file, whatever its keys.</summary>
    /// <exception cref="InvalidOptionsException">No such file, or not a JSON object.</exception>
    public static JsonObject ReadObject(string path)
    {
        try
        {
            var reading = new JsonDocumentOptions
            {
                AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip, AllowDuplicateProperties = false,
            };
            return JsonNode.Parse(File.ReadAllText(path), documentOptions: reading) as JsonObject
                ?? throw new InvalidOptionsException(
                    $"{path}: expected a JSON object with options, such as {{ \"steps\": 300 }}.");
        }
        catch (JsonException e)
        {
            throw new InvalidOptionsException(e.LineNumber is null
                ? $"{path}: not valid JSON ({e.Message.TrimEnd('.')}). Mend that place."
                : $"{path}: not valid JSON at line {e.LineNumber + 1}, column {e.BytePositionInLine + 1}. Mend that place.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOptionsException($"{path}: can't be read ({e.Message.TrimEnd('.')}).");
        }
    }

    /// <summary>Makes an options record of a JSON object; <paramref name="source"/> names it in errors.</summary>
    /// <exception cref="InvalidOptionsException">An unknown key or a value that does not fit.</exception>
    public static T FromJson<T>(JsonObject node, string source) where T : class
    {
        ArgumentNullException.ThrowIfNull(node);
        var faults = UnknownKeys(node, typeof(T), source, "").ToList();
        if (faults.Count > 0) throw new InvalidOptionsException(faults);
        try
        {
            return node.Deserialize<T>(Json)!;
        }
        catch (JsonException e)
        {
            var at = e.Path?.Replace("$.", "", StringComparison.Ordinal);
            throw new InvalidOptionsException($"{source}: the value of '{at}' does not fit: {FirstSentence(e)}");
        }
    }

    /// <summary>The record as indented JSON, every property written out.</summary>
    public static string ToJson<T>(T options) where T : class => JsonSerializer.Serialize(options, Json);

    /// <summary>The record as a JSON object.</summary>
    public static JsonObject ToNode<T>(T options) where T : class => JsonSerializer.SerializeToNode(options, Json)!.AsObject();

    /// <summary>
    /// A copy of the record in which the keys of <paramref name="changes"/> have other values; null changes nothing.
    /// </summary>
    /// <exception cref="InvalidOptionsException">An unknown key or a value that does not fit; <paramref name="source"/> names the
    /// place.</exception>
    public static T Changed<T>(T options, JsonObject? changes, string source) where T : class
    {
        if (changes is null || changes.Count == 0) return options;
        var faults = UnknownKeys(changes, typeof(T), source, "").ToList();
        if (faults.Count > 0) throw new InvalidOptionsException(faults);
        var merged = ToNode(options);
        Merge(merged, changes);
        return FromJson<T>(merged, source);
    }

    /// <summary>
    /// Puts the values of one object into another, object by object; the key's spelling in <paramref name="into"/> wins over
    /// other case.
    /// </summary>
    public static void Merge(JsonObject into, JsonObject from)
    {
        ArgumentNullException.ThrowIfNull(into);
        ArgumentNullException.ThrowIfNull(from);
        foreach (var (key, value) in from)
        {
            var name = into.Select(p => p.Key).FirstOrDefault(k => k.Equals(key, StringComparison.OrdinalIgnoreCase)) ?? key;
            if (value is JsonObject inner && into[name] is JsonObject target) Merge(target, inner);
            else into[name] = value?.DeepClone();
        }
    }

    /// <summary>Writes the record; the file is whole or untouched.</summary>
    /// <exception cref="SiamorphException">The file can't be written.</exception>
    public static void Save<T>(string path, T options) where T : class => AtomicFile.WriteText(path, ToJson(options) + "\n");

    private static string FirstSentence(JsonException e) =>
        e.InnerException?.Message ?? e.Message.Split(" Path:", 2)[0];

    private static IEnumerable<string> UnknownKeys(JsonObject node, Type type, string source, string prefix)
    {
        var info = Json.GetTypeInfo(type);
        if (info.Kind != JsonTypeInfoKind.Object) yield break;
        var known = info.Properties.ToDictionary(p => p.Name, StringComparer.OrdinalIgnoreCase);
        foreach (var twice in node.Select(p => p.Key).GroupBy(k => k, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1))
            yield return $"{source}: option '{prefix}{twice.Key}' comes twice. Keep one of them.";
        foreach (var (key, value) in node)
        {
            if (!known.TryGetValue(key, out var property))
            {
                if (FormerNames.Find(info, key) is { } renamed)
                {
                    yield return $"{source}: option '{prefix}{key}' {FormerNames.Of(renamed)!.Hint($"'{prefix}{renamed.Name}'")}";
                    continue;
                }
                var meant = ClosestName.To(key, known.Keys) is { } name ? $"did you mean '{prefix}{name}'?"
                    : $"known are {string.Join(", ", known.Keys)}.";
                yield return $"{source}: unknown option '{prefix}{key}'; {meant}";
            }
            else if (IsNoNumber(value, property.PropertyType))
                yield return $"{source}: the value of '{prefix}{property.Name}' is {value}, which is not a number. Write a "
                    + $"number with a decimal point.";
            else if (value is JsonObject inner)
            {
                foreach (var fault in UnknownKeys(inner, property.PropertyType, source, $"{prefix}{property.Name}."))
                    yield return fault;
            }
        }
    }

    // "NaN" and "Infinity" are read from results, but mean nothing as an option.
    private static bool IsNoNumber(JsonNode? value, Type type) =>
        (Nullable.GetUnderlyingType(type) ?? type) is var core && (core == typeof(double) || core == typeof(float))
        && value?.GetValueKind() switch { JsonValueKind.String => true,
        JsonValueKind.Number => !double.IsFinite(value.GetValue<double>()), _ => false };

    private sealed class ImageSizeConverter : JsonConverter<ImageSize>
    {
        public override ImageSize Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
        {
            if (reader.TokenType == JsonTokenType.Number) return new(reader.GetInt32(), reader.GetInt32());
            var parts = (reader.TokenType == JsonTokenType.String ? reader.GetString()! : "").Split('x', '×');
            var numbers = parts.Select(p => int.TryParse(p, out var n) ? n : 0).ToArray();
            return numbers switch
            {
                [> 0 and var side] => new(side, side),
                [> 0 and var width, > 0 and var height] => new(width, height),
                _ => throw new JsonException("a size is written as \"64\" or \"64x48\" (width x height, pixels)."),
            };
        }

        public override void Write(Utf8JsonWriter writer, ImageSize value, JsonSerializerOptions options) =>
            writer.WriteStringValue($"{value.Width}x{value.Height}");
    }
}
