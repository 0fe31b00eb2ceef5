using System.Text.Json;

namespace HttpResilience.Tool;

/// <summary>The fields of a JSON object, in its bytes.</summary>
internal static class JsonFields
{
    /// <summary>What kind of value a field has, and where it stands.</summary>
    /// <param name="json">The object in UTF-8.</param>
    /// <param name="name">The name of the field.</param>
    /// <exception cref="ToolException">It is no object, or does not have the field exactly once.</exception>
    internal static (JsonValueKind Kind, int Start, int End) Find(byte[] json, string name)
    {
        List<string> names = [];
        (JsonValueKind Kind, int Start, int End)? found = null;
        try
        {
            var reader = new Utf8JsonReader(json);
            if (!reader.Read() || reader.TokenType is not JsonTokenType.StartObject)
                throw NoObject(null);
            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                string field = reader.GetString()!;
                names.Add(field);
                reader.Read();
                var (kind, start) = (KindOf(reader.TokenType), (int)reader.TokenStartIndex);
                reader.Skip();
                if (field == name && found is not null)
                    throw new ToolException($"The body has '{name}' twice.");
                if (field == name)
                    found = (kind, start, (int)reader.BytesConsumed);
            }
        }
        catch (JsonException e)
        {
            throw NoObject(e);
        }

        return found ?? throw new ToolException($"The body has no field '{name}'. It has: {string.Join(", ", names)}.");
    }

    private static JsonValueKind KindOf(JsonTokenType token) => token switch
    {
        JsonTokenType.StartObject => JsonValueKind.Object,
        JsonTokenType.StartArray => JsonValueKind.Array,
        JsonTokenType.String => JsonValueKind.String,
        JsonTokenType.Number => JsonValueKind.Number,
        JsonTokenType.True => JsonValueKind.True,
        JsonTokenType.False => JsonValueKind.False,
        _ => JsonValueKind.Null,
    };

    private static ToolException NoObject(Exception? cause) => new(
        "The body is not a JSON object, so --set cannot change a field. Replace it with --body FILE.", innerException: cause);
}
