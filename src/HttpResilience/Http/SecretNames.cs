using System.Collections.Concurrent;
using System.Collections.Frozen;

namespace HttpResilience;

/// <summary>
/// Which header fields, query parameters and fields of a body carry credentials, by the words of their names (<see cref="NameWords"/>), a
/// list of names that no word gives away, and the names that the options list.
/// </summary>
internal sealed class SecretNames
{
    // Names come from the application and from servers; beyond this number, and longer ones, are decided anew each time.
    private const int MaxCached = 4096;
    private const int MaxCachedLength = 64;

    private const string NotSecret = "!";

    private static readonly FrozenSet<string> Words = Set(
        "auth", "oauth", "authorization", "authentication", "session", "jwt", "jws", "jwe", "pass", "passwd", "passphrase", "passcode",
        "password", "pwd", "otp", "totp", "sign", "signature", "sig", "hmac", "wsse", "bearer", "cert", "certificate", "assertion", "saml",
        "principal", "apikey", "secret", "credential", "creds", "cookie", "csrf", "xsrf", "sas");

    // In a body: words, and pairs of words, that cards, accounts and persons are identified by.
    private static readonly FrozenSet<string> Personal = Set(
        "pan", "cvv", "cvc", "cvn", "csc", "iban", "ssn", "pin", "passport", "accountnumber", "accountno", "routingnumber", "securitycode",
        "securitynumber", "taxid", "taxnumber", "sortcode", "nationalid");

    // In a body they are common words of the trade.
    private static readonly FrozenSet<string> NotInBodies = Set("principal", "cert", "certificate", "saml", "sas");

    // A word that ends in one of them is a compound of it, in whatever language: trackertoken, sitepassword.
    private static readonly string[] Endings =
    [
        "token", "secret", "password", "passwd", "passphrase", "apikey", "authorization", "authentication", "signature", "cookie",
        "credential", "credentials", "tokens", "secrets", "passwords", "apikeys", "cookies", "signatures",
    ];

    // About a secret, not the secret itself: token_type, Signature-Version; and Pass-Through, which passes something on.
    private static readonly FrozenSet<string> About = Set(
        "type", "version", "method", "alg", "algorithm", "format", "expires", "expiry", "expiration", "ttl", "length", "count", "status",
        "mode", "limit", "remaining", "required", "enabled", "timeout", "duration", "consent", "through");

    private static readonly FrozenSet<string> HarmlessKeys = Set(
        "idempotency", "idempotence", "idempotent", "partition", "sort", "cache", "surrogate", "routing", "row", "dedup", "deduplication",
        "foreign", "range", "ordering", "message", "business", "correlation", "start", "end", "issue", "object", "translation");

    private static readonly FrozenSet<string> HarmlessTokens = Set(
        "idempotency", "idempotence", "idempotent", "page", "next", "previous", "prev", "continuation", "pagination", "sync",
        "cancellation", "change", "concurrency", "sequence");

    // Numbers of tokens, as language models count them: max_tokens.
    private static readonly FrozenSet<string> CountedTokens = Set(
        "max", "min", "total", "prompt", "completion", "input", "output", "limit", "remaining", "ratelimit", "used");

    private static readonly FrozenSet<string> OfCard = Set("number", "no", "num", "nr", "data", "code", "details", "holder", "security");

    // Sources: tests/HttpResilience.Tests/Http/SecretNames.tsv.
    private static readonly FrozenSet<string> Headers = Set(
        "X-Honeycomb-Team", "X-JFrog-Art-Api", "X-Ovh-Consumer", "X-Firebase-AppCheck", "X-WP-Nonce", "Jenkins-Crumb", "X-Amzn-Oidc-Data",
        "DPoP");

    private static readonly FrozenSet<string> HarmlessHeaders = Set("X-Atlassian-Token");

    private static readonly FrozenSet<string> Parameters = Set(
        "code", "pin", "appid", "sid", "ticket", "jsessionid", "phpsessid", "sessid", "SAMLResponse", "oauth_verifier", "code_verifier",
        "device_code", "user_code", "authorization_code", "verification_code", "AWSAccessKeyId", "_wpnonce", "signed_request");

    /// <summary>By the words and lists of this library alone.</summary>
    internal static SecretNames BuiltIn { get; } = new([], [], []);

    private readonly FrozenSet<string> _headers, _harmlessHeaders, _parameters, _harmlessParameters;
    private readonly ConcurrentDictionary<string, bool> _knownHeaders = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _knownParameters = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _knownFields = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool>.AlternateLookup<ReadOnlySpan<char>> _parametersBySpan;

    /// <param name="headers">Further secret header fields; one with a leading <c>!</c> is not secret, whatever its words.</param>
    /// <param name="parameters">Further secret query parameters, in the same way.</param>
    /// <param name="allowedParameters">Query parameters that may be logged, and so are not secret.</param>
    internal SecretNames(IEnumerable<string> headers, IEnumerable<string> parameters, IEnumerable<string> allowedParameters)
    {
        (_headers, _harmlessHeaders) = Parted(headers, []);
        (_parameters, _harmlessParameters) = Parted(parameters, allowedParameters);
        _parametersBySpan = _knownParameters.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Whether the value of a header field is a secret.</summary>
    internal bool IsHeader(string name) => _knownHeaders.TryGetValue(name, out bool known) ? known : Add(_knownHeaders, name, Decide(
        name, _headers, _harmlessHeaders, Headers, HarmlessHeaders, NameKind.Header));

    /// <summary>Whether the value of a query parameter is a secret.</summary>
    /// <param name="name">As it stands in the URI.</param>
    internal bool IsParameter(ReadOnlySpan<char> name)
    {
        if (name.IsEmpty)
            return false;
        if (_parametersBySpan.TryGetValue(name, out bool known))
            return known;
        string raw = name.ToString();
        return Add(_knownParameters, raw, Decide(
            ParameterName(raw), _parameters, _harmlessParameters, Parameters, FrozenSet<string>.Empty, NameKind.Parameter));
    }

    /// <summary>Whether the value of a property of JSON, an element of XML or a field of a form is a secret.</summary>
    internal static bool IsField(string name) => BuiltIn._knownFields.TryGetValue(name, out bool known) ? known
        : Add(BuiltIn._knownFields, name, IsSecret(name, NameKind.Field));

    /// <summary>The name of a query parameter without its escapes.</summary>
    internal static string ParameterName(string raw) => Uri.UnescapeDataString(raw.Replace('+', ' ')).Trim();

    private static bool Add(ConcurrentDictionary<string, bool> known, string name, bool isSecret)
    {
        if (name.Length <= MaxCachedLength && known.Count < MaxCached)
            known.TryAdd(name, isSecret);
        return isSecret;
    }

    private static bool Decide(
        string name, FrozenSet<string> listed, FrozenSet<string> harmless, FrozenSet<string> builtIn, FrozenSet<string> builtInHarmless,
        NameKind kind) =>
        listed.Contains(name) || (!harmless.Contains(name)
            && (builtIn.Contains(name) || (!builtInHarmless.Contains(name) && IsSecret(name, kind))));

    private static bool IsSecret(string name, NameKind kind) =>
        IsSecret(NameWords.Of(name), kind) || IsSecret(NameWords.WithoutCase(name), kind);

    private static bool IsSecret(List<string> words, NameKind kind)
    {
        if (words is not [.., var last] || About.Contains(last))
            return false;
        for (int i = 0; i < words.Count; i++)
        {
            string? before = i > 0 ? words[i - 1] : null;
            if (IsSecret(words[i], before, i + 1 < words.Count ? words[i + 1] : null, kind))
                return true;
        }

        return false;
    }

    private static bool IsSecret(string word, string? before, string? after, NameKind kind) => word switch
    {
        "tokens" when before is not null && CountedTokens.Contains(before) => false,
        "token" or "tokens" => before is null || !HarmlessTokens.Contains(before),
        "key" or "keys" => (after is null || before is "api") && (before is null ? kind is not NameKind.Field
            : !HarmlessKeys.Contains(before)),
        "card" or "creditcard" or "debitcard" => kind is NameKind.Field && (after is null || OfCard.Contains(after)),
        _ when kind is NameKind.Field && NotInBodies.Contains(word) => false,
        _ => Words.Contains(word) || (word.EndsWith('s') && Words.Contains(word[..^1]))
            || (kind is NameKind.Field && (Personal.Contains(word) || Personal.Contains(before + word)))
            || Endings.Any(ending => word.EndsWith(ending, StringComparison.Ordinal)),
    };

    private static (FrozenSet<string> Secret, FrozenSet<string> Harmless) Parted(IEnumerable<string> names, IEnumerable<string> harmless)
    {
        string[] all = [.. names];
        return (
            Set([.. all.Where(n => !n.StartsWith(NotSecret, StringComparison.Ordinal))]),
            Set([.. all.Where(n => n.StartsWith(NotSecret, StringComparison.Ordinal)).Select(n => n[NotSecret.Length..]), .. harmless]));
    }

    private static FrozenSet<string> Set(params string[] names) => names.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private enum NameKind
    {
        Header,
        Parameter,
        Field,
    }
}
