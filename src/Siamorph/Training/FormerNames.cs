using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Siamorph.Training;

/// <summary>What an option and its values were called in the version before.</summary>
/// <param name="name">The former key of the options file.</param>
/// <param name="values">Former and present spelling of its values, in turn; none where they stayed.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class FormerNameAttribute(string name, params string[] values) : Attribute
{
    public string Name { get; } = name;

    public IEnumerable<(string Former, string Present)> Values { get; } = [.. values.Chunk(2).Select(v => (v[0], v[1]))];

    /// <summary>How the option is written now.</summary>
    public string Hint(string present) =>
        $"is called {present} now{(Values.Any() ? $" ({string.Join(", ", Values.Select(Text))})" : "")}.";

    private static string Text((string Former, string Present) value) => $"{value.Former} is {value.Present}";
}

/// <summary>
/// Options that have other names than in the version before. What a person writes must bear the present name; what an earlier
/// version wrote into its run folders is read all the same, so that its models can be used and its runs go on.
/// </summary>
internal static class FormerNames
{
    /// <summary>The property that had this key, or null.</summary>
    public static JsonPropertyInfo? Find(JsonTypeInfo type, string key) =>
        type.Properties.FirstOrDefault(p => Of(p)?.Name.Equals(key, StringComparison.OrdinalIgnoreCase) == true);

    /// <summary>What the property was called, or null.</summary>
    public static FormerNameAttribute? Of(JsonPropertyInfo property) =>
        property.AttributeProvider is PropertyInfo p ? Of(p) : null;

    /// <inheritdoc cref="Of(JsonPropertyInfo)"/>
    public static FormerNameAttribute? Of(PropertyInfo property) => property.GetCustomAttribute<FormerNameAttribute>();

    /// <summary>Gives every option of an object its present name and value, in the records within it too.</summary>
    public static void Renew(JsonObject node, Type type)
    {
        var info = OptionsFile.Json.GetTypeInfo(type);
        if (info.Kind != JsonTypeInfoKind.Object) return;
        foreach (var (key, value) in node.ToList())
        {
            if (Find(info, key) is { } renamed && !node.ContainsKey(renamed.Name))
            {
                node.Remove(key);
                node[renamed.Name] = Present(value, Of(renamed)!);
            }
            else if (value is JsonObject inner
                && info.Properties.FirstOrDefault(p => p.Name.Equals(key, StringComparison.OrdinalIgnoreCase)) is { } property)
            {
                Renew(inner, property.PropertyType);
            }
        }
    }

    private static JsonNode? Present(JsonNode? value, FormerNameAttribute former)
    {
        var present = former.Values.Where(v => v.Former == value?.ToString()).Select(v => v.Present).FirstOrDefault();
        return present switch { null => value, "true" or "false" => present == "true", _ => present };
    }
}
