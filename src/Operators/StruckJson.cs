using System.Buffers;
using System.Text.Json;

namespace HttpResilience.Operators;

/// <summary>JSON for those who may only see letters: the values of names on the redaction list are struck out.</summary>
internal static class StruckJson
{
    private static ReadOnlySpan<byte> Mark => "\"***\""u8;

    /// <summary>The JSON with everything else as it was written; null when it is not JSON.</summary>
    /// <param name="json">In UTF-8.</param>
    /// <param name="isSecret">Whether a property of this name is on the list.</param>
    internal static byte[]? Of(ReadOnlySpan<byte> json, Func<string, bool> isSecret)
    {
        ArgumentNullException.ThrowIfNull(isSecret);
        var struck = new ArrayBufferWriter<byte>(json.Length + Mark.Length);
        var reader = new Utf8JsonReader(json);
        int copied = 0;
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is not JsonTokenType.PropertyName || !isSecret(reader.GetString()!))
                    continue;
                reader.Read();
                int start = (int)reader.TokenStartIndex;
                bool isNothing = reader.TokenType is JsonTokenType.Null;
                reader.Skip();
                if (isNothing)
                    continue;
                struck.Write(json[copied..start]);
                struck.Write(Mark);
                copied = (int)reader.BytesConsumed;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second is a name that is no text: half of a pair in an escape.
            return null;
        }

        struck.Write(json[copied..]);
        return struck.WrittenSpan.ToArray();
    }
}
