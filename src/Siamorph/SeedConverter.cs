using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Siamorph;

/// <summary>A seed is a number in every file, and as a number it is read.</summary>
internal sealed class SeedConverter : JsonConverter<Seed>
{
    public override Seed Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
    {
        var asText = reader.TokenType == JsonTokenType.String
            && options.NumberHandling.HasFlag(JsonNumberHandling.AllowReadingFromString);
        return asText ? ulong.Parse(reader.GetString()!, NumberStyles.None, CultureInfo.InvariantCulture) : reader.GetUInt64();
    }

    public override void Write(Utf8JsonWriter writer, Seed value, JsonSerializerOptions options) =>
        writer.WriteNumberValue(value.Value);
}
