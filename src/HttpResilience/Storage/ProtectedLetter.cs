using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace HttpResilience;

/// <summary>
/// The form in which a letter is stored protected: its body, and its header fields with the query of its URI, are encrypted, each bound to
/// the id of the letter. Everything else is in clear, for claims, lists and alerts.
/// </summary>
internal static class ProtectedLetter
{
    /// <summary>
    /// The name of the one header field, which holds all. It is not a name of HTTP, and the stores write it in a form that versions from
    /// before cannot read: they must not send an encrypted body.
    /// </summary>
    internal const string FieldName = ":protected";

    // A key that rotates between the two parts of a letter does so once.
    private const int MaxTries = 3;

    /// <summary>Begins a protected body, so that it is known as one whatever the rest of the row says.</summary>
    private static ReadOnlySpan<byte> BodyMark => "\0HttpResilience protected\u0001"u8;

    /// <exception cref="CryptographicException">There is no key to protect with.</exception>
    internal static DeadLetter Protect(DeadLetter letter, ILetterProtector protector)
    {
        var (uri, query) = SplitUri(letter.Uri);
        var fields = new ProtectedFields(
            query, letter.OriginalUri, [.. letter.Headers.Select(h => new[] { h.Key, h.Value })], letter.Body is not null);
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(fields, ProtectedJson.Default.ProtectedFields);
        for (int i = 0; i < MaxTries; i++)
        {
            byte[] protectedFields = protector.Protect(json, FieldsOf(letter), out string keyId);
            string bodyKeyId = keyId;
            byte[]? body = letter.Body is { } plain ? [.. BodyMark, .. protector.Protect(plain.Span, BodyOf(letter), out bodyKeyId)] : null;
            if (bodyKeyId != keyId)
                continue;
            return letter with
            {
                ProtectedWith = keyId,
                Uri = uri,
                OriginalUri = null,
                Headers = [new(FieldName, Convert.ToBase64String(protectedFields))],
                Body = body is null ? default(ReadOnlyMemory<byte>?) : body,
            };
        }

        throw new CryptographicException("The protector of letters returns another key each time.");
    }

    /// <summary>The letter in clear; a letter that was stored in clear is returned as it is.</summary>
    /// <param name="stored">The letter as the store holds it.</param>
    /// <param name="protector">Null when this process has none.</param>
    /// <param name="hasBody">The letter was read with its body.</param>
    /// <exception cref="LetterKeyMissingException">The key is missing.</exception>
    /// <exception cref="CryptographicException">The letter was changed in the store.</exception>
    internal static DeadLetter Open(DeadLetter stored, ILetterProtector? protector, bool hasBody = true)
    {
        string? payload = stored.Headers is [{ Key: FieldName, Value: var value }] ? value : null;
        bool isBodyProtected = stored.Body is { } body && body.Span.StartsWith(BodyMark);
        if (stored.ProtectedWith is null && payload is null && !isBodyProtected)
            return stored;
        if (payload is null || stored.ProtectedWith is not { Length: > 0 } keyId)
            throw new CryptographicException("One part of the row is protected, and another is not.");
        if (protector is null)
            throw new LetterKeyMissingException(keyId, $"This process has no {nameof(ILetterProtector)}: {HowToAdd}");

        byte[] json = protector.Unprotect(Base64(payload), FieldsOf(stored), keyId);
        var fields = JsonSerializer.Deserialize(json, ProtectedJson.Default.ProtectedFields)!;
        if (hasBody && (fields.HasBody != stored.Body is not null || (fields.HasBody && !isBodyProtected)))
            throw new CryptographicException("The body of the letter was removed, added or replaced.");
        return stored with
        {
            Uri = new(stored.Uri.AbsoluteUri + fields.Query, UriKind.Absolute),
            OriginalUri = fields.OriginalUri,
            Headers = [.. fields.Headers.Select(h => KeyValuePair.Create(h[0], h[1]))],
            Body = isBodyProtected ? protector.Unprotect(stored.Body!.Value.Span[BodyMark.Length..], BodyOf(stored), keyId) : stored.Body,
        };
    }

    /// <summary>A letter whose key is missing, without its protected parts.</summary>
    internal static DeadLetter Closed(DeadLetter stored) => stored with { KeyIsMissing = true, Headers = [], Body = null };

    /// <summary>How to add a protector, for the messages about a missing one.</summary>
    internal const string HowToAdd =
        "add package HttpResilience.DataProtection, AddHttpResilienceStorage(storage => storage.….ProtectWithDataProtection()) and "
        + "services.AddDataProtection().SetApplicationName(…).PersistKeysTo…, or register an own ILetterProtector.";

    private static string FieldsOf(DeadLetter letter) => $"{letter.Id:D} fields";

    private static string BodyOf(DeadLetter letter) => $"{letter.Id:D} body";

    private static (Uri WithoutQuery, string Query) SplitUri(Uri uri)
    {
        string text = uri.AbsoluteUri;
        int end = text.AsSpan().IndexOfAny('?', '#');
        return end < 0 ? (uri, "") : (new(text[..end], UriKind.Absolute), text[end..]);
    }

    private static byte[] Base64(string text)
    {
        try
        {
            return Convert.FromBase64String(text);
        }
        catch (FormatException e)
        {
            throw new CryptographicException("The protected header fields are not Base64.", e);
        }
    }
}

/// <summary>The protected header fields of a letter, with the query of its URI.</summary>
/// <param name="Query">The query and the fragment of the URI, with their first characters.</param>
/// <param name="OriginalUri"><see cref="DeadLetter.OriginalUri"/>.</param>
/// <param name="Headers">The header fields, each a name and a value.</param>
/// <param name="HasBody">The letter has a body: one that was removed from the row is noticed.</param>
internal sealed record ProtectedFields(string Query, string? OriginalUri, IReadOnlyList<string[]> Headers, bool HasBody);

[JsonSerializable(typeof(ProtectedFields))]
internal sealed partial class ProtectedJson : JsonSerializerContext;
