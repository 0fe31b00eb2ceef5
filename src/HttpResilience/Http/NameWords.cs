using System.Collections.Frozen;

namespace HttpResilience;

/// <summary>
/// The words of a name, in lower case: split where a character is no letter, and where the case changes (<c>APIKey</c> is api, key). Names
/// are written without any separator too, so a word that consists of known words is those words (<c>sessionid</c>).
/// </summary>
internal static class NameWords
{
    private const int MaxLength = 256;

    // The words that secrets, and harmless tokens, are combined with. None of them may make an English word together with a secret one
    // ("code" + "sign").
    private static readonly FrozenSet<string> Known = FrozenSet.ToFrozenSet(
        [
            "api", "access", "account", "admin", "anti", "app", "application", "auth", "basic", "bot", "channel", "client", "consumer",
            "csrf", "customer", "data", "device", "encryption", "forgery", "function", "functions", "hash", "header", "hook", "host",
            "http", "hub", "id", "identity", "license", "login", "master", "merchant", "my", "name", "oauth", "partner", "private",
            "project", "proxy", "public", "refresh", "request", "security", "server", "service", "shared", "signing", "site", "store",
            "subscription", "user", "value", "verification", "web", "webhook", "xsrf", "x", "apikey", "assertion", "bearer",
            "certificate", "cert", "cookie", "credential", "credentials", "hmac", "jwt", "key", "keys", "otp", "pass", "passcode",
            "passphrase", "passwd", "password", "principal", "pwd", "secret", "session", "sig", "sign", "signature", "token", "tokens",
            "card", "credit", "debit", "number", "cvv", "cvc", "iban", "ssn", "pan", "partition", "sort", "cache", "routing",
            "idempotency", "idempotence", "idempotent", "page", "next", "previous", "prev", "continuation", "pagination", "sync",
            "cancellation", "change", "concurrency", "sequence", "max", "min", "total", "prompt", "completion", "input", "output",
            "limit", "remaining", "ratelimit", "used", "type",
        ],
        StringComparer.Ordinal);

    internal static List<string> Of(string name)
    {
        List<string> words = [];
        int start = 0;
        for (int i = 0; i <= name.Length; i++)
        {
            if (i < name.Length && char.IsAsciiLetter(name[i]) && (i == start || !CaseChanges(name, i)))
                continue;
            if (i > start)
                Add(words, name[start..i]);
            start = i < name.Length && char.IsAsciiLetter(name[i]) ? i : i + 1;
        }

        return words;
    }

    /// <summary>The words of a name whose case says nothing, as <c>X-APIkey</c>.</summary>
    internal static List<string> WithoutCase(string name) => Of(name.ToLowerInvariant());

    private static bool CaseChanges(string name, int i) => char.IsAsciiLetterUpper(name[i])
        && (char.IsAsciiLetterLower(name[i - 1]) || (i + 1 < name.Length && char.IsAsciiLetterLower(name[i + 1])));

    private static void Add(List<string> words, string word)
    {
        word = word.ToLowerInvariant();
        if (Known.Contains(word) || word.Length > MaxLength || Parts(word) is not { } parts)
            words.Add(word);
        else
            words.AddRange(parts);
    }

    /// <summary>The known words that a word consists of, as few as possible; null when it does not.</summary>
    private static List<string>? Parts(string word)
    {
        var known = Known.GetAlternateLookup<ReadOnlySpan<char>>();
        // The start of the last part, of the best way to each end.
        int[] starts = new int[word.Length + 1], counts = new int[word.Length + 1];
        for (int end = 1; end <= word.Length; end++)
        {
            counts[end] = int.MaxValue;
            for (int start = 0; start < end; start++)
            {
                bool isShort = end - start == 1 && start > 0;
                if (counts[start] < counts[end] - 1 && !isShort && known.Contains(word.AsSpan(start, end - start)))
                    (starts[end], counts[end]) = (start, counts[start] + 1);
            }
        }

        if (counts[^1] == int.MaxValue)
            return null;
        List<string> parts = [];
        for (int end = word.Length; end > 0; end = starts[end])
            parts.Insert(0, word[starts[end]..end]);
        return parts;
    }
}
