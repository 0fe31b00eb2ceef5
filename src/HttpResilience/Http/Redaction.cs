using System.Collections.Frozen;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Encodings.Web;

namespace HttpResilience;

/// <summary>
/// Keeps secrets and forged lines out of the log: query values and user-info are omitted, echoes of them and of secret headers in texts of
/// the server are replaced, and control characters become spaces.
/// </summary>
internal sealed class Redaction(IEnumerable<string> redactedHeaders, IEnumerable<string> allowedQueryParameters)
{
    private const string Struck = "***";
    private const int MinSecretLength = 4;

    private static readonly string[] SecretWords =
    [
        "authorization", "authentication", "cookie", "token", "secret", "password", "apikey", "api-key", "api_key", "signature",
        "credential",
    ];

    private readonly FrozenSet<string> _secretHeaders = redactedHeaders.ToFrozenSet(StringComparer.OrdinalIgnoreCase);
    private readonly FrozenSet<string> _allowedParameters = allowedQueryParameters.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    internal bool IsSecret(string header) =>
        _secretHeaders.Contains(header) || SecretWords.Any(word => header.Contains(word, StringComparison.OrdinalIgnoreCase))
            || IsKey(header);

    /// <summary>The path for the log: the template when there is one, else the path without the values of the query.</summary>
    internal string PathOf(HttpRequestMessage request, string? template)
    {
        if (template is { Length: > 0 })
            return Clean(template);
        return request.RequestUri is { IsAbsoluteUri: true } uri ? Clean(uri.AbsolutePath) + RedactQuery(uri.Query) : "";
    }

    /// <summary>
    /// External text made safe for one line: secrets of the request replaced, control characters and line separators as spaces.
    /// </summary>
    internal string Scrub(string text, HttpRequestMessage request)
    {
        string[] secrets =
        [
            .. SecretsOf(request).SelectMany(Forms).Where(s => s.Length >= MinSecretLength)
                .Distinct(StringComparer.OrdinalIgnoreCase).OrderByDescending(s => s.Length),
        ];
        foreach (string secret in secrets)
            text = text.Replace(secret, Struck, StringComparison.OrdinalIgnoreCase);

        // The text may be truncated in the middle of a secret.
        int begun = secrets.Select(s => BegunAtEnd(text, s)).DefaultIfEmpty().Max();
        return Clean(begun == 0 ? text : text[..^begun] + Struck);
    }

    /// <summary>
    /// The forms in which a server may echo a secret: as sent or decoded from a URI or a form, and each of them escaped again.
    /// </summary>
    private static IEnumerable<string> Forms(string secret)
    {
        string[] meanings = [secret, Uri.UnescapeDataString(secret), WebUtility.UrlDecode(secret)];
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

    internal static string Clean(Exception exception) => Clean(exception.SafeMessage);

    /// <summary>The exception, or its type when a logger could not write it.</summary>
    internal static Exception Loggable(Exception exception) => exception.Loggable;

    /// <summary>The message of an exception, scrubbed.</summary>
    internal string Scrub(Exception exception, HttpRequestMessage request) => Scrub(exception.SafeMessage, request);

    // X-Functions-Key, X-Auth-Key, Ocp-Apim-Subscription-Key: credentials, unlike an idempotency key.
    private static bool IsKey(string header) =>
        header.EndsWith("key", StringComparison.OrdinalIgnoreCase) && !header.Contains("idempotency", StringComparison.OrdinalIgnoreCase);

    private string RedactQuery(string query)
    {
        if (query.Length <= 1)
            return "";

        var redacted = new StringBuilder(query.Length).Append('?');
        foreach (string parameter in query[1..].Split('&'))
        {
            if (redacted.Length > 1)
                redacted.Append('&');
            int equals = parameter.IndexOf('=');
            string name = equals < 0 ? parameter : parameter[..equals];
            // Without '=' the parameter may be a value.
            redacted.Append(_allowedParameters.Contains(name) ? Clean(parameter) : equals < 0 ? Struck : $"{Clean(name)}={Struck}");
        }

        return redacted.ToString();
    }

    private IEnumerable<string> SecretsOf(HttpRequestMessage request)
    {
        var asked = RequestSnapshot.AskedFor(request);
        return ReferenceEquals(asked, request) ? OwnSecrets(request) : OwnSecrets(request).Concat(OwnSecrets(asked));
    }

    private IEnumerable<string> OwnSecrets(HttpRequestMessage request) =>
        HeaderSecrets(request.Headers.NonValidated).Concat(request.RequestUri is { IsAbsoluteUri: true } uri ? UriSecrets(uri) : []);

    private IEnumerable<string> HeaderSecrets(HttpHeadersNonValidated headers)
    {
        foreach (var (name, values) in headers)
        {
            if (!IsSecret(name))
                continue;
            foreach (string value in values)
            {
                yield return value;
                // "Bearer abc", "a=1; b=2": the parts are secret, too.
                foreach (string part in value.Split([' ', ';', ',', '='], StringSplitOptions.RemoveEmptyEntries))
                    yield return part;
                foreach (string part in BasicSecrets(value))
                    yield return part;
            }
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
        IEnumerable<string> query = uri.Query.TrimStart('?').Split('&')
            .Select(p => (Name: p.Split('=')[0], Value: p[(p.IndexOf('=') + 1)..]))
            .Where(p => !_allowedParameters.Contains(p.Name))
            .Select(p => p.Value);
        return userInfo.Concat(query);
    }
}
