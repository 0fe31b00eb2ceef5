using System.Collections.Frozen;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace HttpResilience;

/// <summary>
/// The one gate for texts that reach logs, stores, alerts and exceptions: query values and user-info are omitted; secrets of the request
/// that a server echoes, and values of secret names, are replaced; each text stays on its line (<see cref="SingleLine"/>).
/// </summary>
internal sealed class Redaction(
    IEnumerable<string> secretHeaders, IEnumerable<string> allowedQueryParameters, IEnumerable<string>? secretQueryParameters = null)
{
    private const string Struck = StruckText.Mark;
    private const int MinSecretLength = 4;
    private const int MaxSecrets = 1000;
    // Shorter values of a query may be words that a response has anyway.
    private const int MinEchoLength = 8;

    private readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> _allowedParameters = allowedQueryParameters
        .Except(secretQueryParameters ?? [], StringComparer.OrdinalIgnoreCase).ToFrozenSet(StringComparer.OrdinalIgnoreCase)
        .GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Which names are secret by the settings of the client.</summary>
    internal SecretNames Names { get; } = new(secretHeaders, secretQueryParameters ?? [], allowedQueryParameters);

    internal bool IsSecret(string header) => Names.IsHeader(header);

    /// <summary>The path for the log: the template when there is one, else the path without the values of the query.</summary>
    internal string PathOf(HttpRequestMessage request, string? template)
    {
        if (template is { Length: > 0 })
            return Clean(template);
        return request.RequestUri is { IsAbsoluteUri: true } uri
            ? Clean(SecretValues.Strike(uri.AbsolutePath, Names)) + RedactQuery(uri.Query) : "";
    }

    /// <summary>
    /// External text made safe for one line: secrets of the request and values of secret names replaced, control characters and line
    /// separators as spaces.
    /// </summary>
    /// <param name="request">Null when it is not known: only values of secret names are then found.</param>
    /// <param name="response">The response of the text, which may answer a copy of the request; null when there is none.</param>
    internal string Scrub(string text, HttpRequestMessage? request, HttpResponseMessage? response = null) =>
        Clean(Strike(text, SecretsOf(request, response)));

    /// <summary>The text without secrets, on as many lines as it had.</summary>
    private string Strike(string text, string[] secrets)
    {
        text = SecretValues.Strike(SingleLine.WithoutUnseen(text), Names);
        if (secrets.Length == 0)
            return text;
        var echoes = new SecretEchoes(secrets);
        // Also in encodings that no encoder of the platform writes, and in documents inside others.
        text = StruckText.Of(text, [.. echoes.In(text), .. DecodedText.Depths(text).SelectMany(decoded => decoded.Find(echoes))]);

        // The text may be truncated in the middle of a secret.
        int begun = secrets.Max(s => BegunAtEnd(text, s));
        return begun == 0 ? text : text[..^begun] + Struck;
    }

    private string[] SecretsOf(HttpRequestMessage? request, HttpResponseMessage? response) =>
    [
        .. RawSecretsOf(request, response).Distinct(StringComparer.Ordinal).Take(MaxSecrets)
            .SelectMany(Forms).Where(s => s.Length >= MinSecretLength)
            .Distinct(StringComparer.OrdinalIgnoreCase).OrderByDescending(s => s.Length),
    ];

    /// <summary>
    /// The forms in which a server may echo a secret: as sent or decoded from a URI or a form, and each of them escaped again.
    /// </summary>
    private static IEnumerable<string> Forms(string secret)
    {
        string[] meanings =
        [
            secret, Uri.UnescapeDataString(secret), WebUtility.UrlDecode(secret), WebUtility.HtmlDecode(secret), FromJson(secret),
        ];
        foreach (string meaning in meanings.Distinct(StringComparer.Ordinal))
        {
            yield return meaning;
            yield return Uri.EscapeDataString(meaning);
            yield return WebUtility.UrlEncode(meaning);
            yield return WebUtility.HtmlEncode(meaning);
            yield return JavaScriptEncoder.Default.Encode(meaning);
            string json = JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(meaning);
            yield return json;
            yield return json.Replace("/", "\\/", StringComparison.Ordinal);
            yield return Convert.ToBase64String(Encoding.UTF8.GetBytes(meaning));
        }
    }

    private static int BegunAtEnd(string text, string secret)
    {
        for (int length = Math.Min(text.Length, secret.Length - 1); length >= MinSecretLength; length--)
        {
            if (text.AsSpan().EndsWith(secret.AsSpan(0, length), StringComparison.OrdinalIgnoreCase))
                return length;
        }

        return 0;
    }

    internal static string Clean(string text) => SingleLine.Clean(text);

    internal static string Clean(Exception exception) =>
        Clean(SecretValues.Strike(SingleLine.WithoutUnseen(exception.SafeMessage), SecretNames.BuiltIn));

    // RFC 9110 §11.4: credentials in a field whose name does not say so.
    private static readonly string[] Schemes = ["Bearer ", "Basic "];

    /// <summary>Whether a value of a field with a harmless name is a secret: credentials, or a URI with some.</summary>
    internal static bool IsSecretValue(string value, SecretNames names) =>
        Schemes.Any(scheme => value.Length > 2 * scheme.Length && value.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
        || (value.Contains("://", StringComparison.Ordinal) && SecretValues.In(value, names).Any());

    /// <summary>Whether a field of a response may be stored: it neither is a secret, nor echoes one of the request.</summary>
    /// <param name="secrets">Those of the request (<see cref="EchoesOf"/>).</param>
    internal bool MayBeStored(string name, string value, string[] secrets) => !IsSecret(name) && !IsSecretValue(value, Names)
        && !Array.Exists(secrets, secret => value.Contains(secret, StringComparison.OrdinalIgnoreCase));

    /// <summary>The secrets of a request that no stored field of its response may echo.</summary>
    internal string[] EchoesOf(HttpRequestMessage? request) =>
        request is null ? [] : [.. OwnSecrets(request).Where(secret => secret.Length >= MinEchoLength)];

    /// <summary>The message of an exception, scrubbed.</summary>
    internal string Scrub(Exception exception, HttpRequestMessage? request) => Scrub(exception.SafeMessage, request);

    /// <summary>
    /// An exception for the log: itself, unless its text, or that of one inside it, holds secrets of the request or values of secret names.
    /// </summary>
    internal Exception Loggable(Exception exception, HttpRequestMessage? request)
    {
        var loggable = exception.Loggable;
        string text = loggable.ToString();
        string[] secrets = SecretsOf(request, response: null);
        string struck = Strike(text, secrets);
        return struck == text ? loggable
            : new ScrubbedException(exception.GetType(), Clean(Strike(exception.SafeMessage, secrets)), struck);
    }

    private bool IsAllowed(ReadOnlySpan<char> parameter) => _allowedParameters.Contains(QueryText.RawNameOf(parameter));

    // For servers that take ';' for a separator, each part of a parameter is one.
    private bool AreAllowed(ReadOnlySpan<char> parameter)
    {
        parameter = parameter.TrimStart('?');
        foreach (var part in parameter.Split(';'))
        {
            if (!parameter[part].IsEmpty && !IsAllowed(parameter[part]))
                return false;
        }

        return true;
    }

    private string RedactQuery(string query)
    {
        if (query.Length <= 1)
            return "";

        Span<char> buffer = stackalloc char[256];
        var redacted = new DefaultInterpolatedStringHandler(0, 0, provider: null, buffer);
        var parameters = query.AsSpan(1);
        char before = '?';
        foreach (var range in parameters.Split('&'))
        {
            var parameter = parameters[range];
            var name = QueryText.RawNameOf(parameter);
            redacted.AppendFormatted(before);
            before = '&';
            // Without '=' the parameter may be a value.
            if (IsAllowed(name) && AreAllowed(parameter))
                redacted.AppendFormatted(SingleLine.Clean(parameter));
            else
            {
                if (name.Length < parameter.Length)
                {
                    redacted.AppendFormatted(SingleLine.Clean(name));
                    redacted.AppendFormatted('=');
                }

                redacted.AppendLiteral(Struck);
            }
        }

        return redacted.ToStringAndClear();
    }

    private IEnumerable<string> RawSecretsOf(HttpRequestMessage? request, HttpResponseMessage? response)
    {
        // A handler of the application may have sent a copy with the credentials.
        HttpRequestMessage?[] requests = [request, request is null ? null : RequestSnapshot.AskedFor(request), response?.RequestMessage];
        return requests.OfType<HttpRequestMessage>().Distinct().SelectMany(OwnSecrets)
            .Concat(BodySecrets(request?.Content))
            // Last: a server may send any number of them.
            .Concat(response is null ? [] : HeaderSecrets(response.Headers.NonValidated));
    }

    private IEnumerable<string> OwnSecrets(HttpRequestMessage request) =>
        HeaderSecrets(request.Headers.NonValidated).Concat(request.RequestUri is { IsAbsoluteUri: true } uri ? UriSecrets(uri) : []);

    private IEnumerable<string> BodySecrets(HttpContent? content) => RequestText.Of(content)
        .SelectMany(text => text.Name is { } part && SecretNames.IsField(part) ? [text.Text] : SecretValues.In(text.Text, Names));

    private IEnumerable<string> HeaderSecrets(HttpHeadersNonValidated headers)
    {
        foreach (var (name, values) in headers)
        {
            bool isSecret = IsSecret(name);
            foreach (string value in values)
            {
                if (!isSecret)
                {
                    // Such as a signed URI.
                    foreach (string part in SecretValues.In(value, Names))
                        yield return part;
                    continue;
                }

                if (name.Equals("Set-Cookie", StringComparison.OrdinalIgnoreCase))
                {
                    // RFC 6265 §4.1.1: its attributes are no secrets.
                    yield return value.Split(';')[0].Split('=', 2)[^1];
                    continue;
                }

                yield return value;
                // "Bearer abc", "a=1; b=2": the parts are secret, too, but the scheme.
                foreach (string part in value.Split([' ', ';', ',', '='], StringSplitOptions.RemoveEmptyEntries))
                {
                    if (!SecretValues.IsScheme(part))
                        yield return part.Trim('"');
                }

                foreach (string part in BasicSecrets(value))
                    yield return part;
            }
        }
    }

    // A value may stand in the body of the request with the escapes of JSON.
    private static string FromJson(string value)
    {
        if (!value.Contains('\\', StringComparison.Ordinal))
            return value;
        try
        {
            var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes($"\"{value}\""));
            return reader.Read() && reader.TokenType is JsonTokenType.String ? reader.GetString()! : value;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return value;
        }
    }

    // RFC 7617 §2: user and password in Base64. A server may echo them decoded.
    private static IEnumerable<string> BasicSecrets(string value)
    {
        const string Scheme = "Basic ";
        byte[] credentials = new byte[value.Length];
        if (!value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            || !Convert.TryFromBase64Chars(value.AsSpan(Scheme.Length), credentials, out int length))
            return [];
        string plain = Encoding.UTF8.GetString(credentials, 0, length);
        return plain.Split(':', 2).Append(plain);
    }

    private IEnumerable<string> UriSecrets(Uri uri)
    {
        IEnumerable<string> userInfo = uri.UserInfo.Length == 0 ? [] : uri.UserInfo.Split(':').Append(uri.UserInfo);
        // A value may contain ';', which older servers take for a separator.
        IEnumerable<string> query = uri.Query.TrimStart('?').Split('&').Concat(QueryText.Split(uri.Query))
            .Where(p => !IsAllowed(p))
            .Select(QueryText.ValueOf);
        return userInfo.Concat(query);
    }
}
