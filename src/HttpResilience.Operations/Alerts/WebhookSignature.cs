using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace HttpResilience.Operations;

/// <summary>
/// The signatures of a request to a webhook, by Standard Webhooks 1.0 (standardwebhooks.com): <c>v1,</c> and the Base64 of the
/// HMAC-SHA256 of id, time and body.
/// </summary>
internal static class WebhookSignature
{
    internal const string IdHeader = "webhook-id", TimestampHeader = "webhook-timestamp", SignatureHeader = "webhook-signature";

    /// <summary>The signature header of earlier versions.</summary>
    internal const string ObsoleteHeader = "X-HttpResilience-Signature";

    private const string Prefix = "whsec_";
    private const int MinKey = 24, MaxKey = 64;

    /// <summary>One signature for each secret, the newest first.</summary>
    internal static string Sign(IEnumerable<string> secrets, string id, long unixSeconds, ReadOnlySpan<byte> body)
    {
        List<string> signatures = [];
        foreach (string secret in secrets)
            signatures.Add($"v1,{Convert.ToBase64String(Hash(KeyOf(secret), $"{id}.{Text(unixSeconds)}.", body))}");
        return string.Join(' ', signatures);
    }

    /// <summary>The value of <see cref="ObsoleteHeader"/>.</summary>
    internal static string SignObsolete(string secret, long unixSeconds, ReadOnlySpan<byte> body) =>
        $"t={Text(unixSeconds)},v1={Convert.ToHexStringLower(Hash(Encoding.UTF8.GetBytes(secret), $"{Text(unixSeconds)}.", body))}";

    /// <summary>False for a secret with the prefix of the specification whose rest is not 24 to 64 bytes of Base64.</summary>
    internal static bool IsValid(string? secret) => secret?.StartsWith(Prefix, StringComparison.Ordinal) is not true
        || Decode(secret) is { Length: >= MinKey and <= MaxKey };

    internal static string Text(long unixSeconds) => unixSeconds.ToString(CultureInfo.InvariantCulture);

    private static byte[] KeyOf(string secret) =>
        (secret.StartsWith(Prefix, StringComparison.Ordinal) ? Decode(secret) : null) ?? Encoding.UTF8.GetBytes(secret);

    private static byte[]? Decode(string secret)
    {
        Span<byte> key = stackalloc byte[MaxKey + 1];
        return Convert.TryFromBase64Chars(secret.AsSpan(Prefix.Length), key, out int length) ? key[..length].ToArray() : null;
    }

    private static byte[] Hash(byte[] key, string head, ReadOnlySpan<byte> body)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        hmac.AppendData(Encoding.UTF8.GetBytes(head));
        hmac.AppendData(body);
        return hmac.GetHashAndReset();
    }
}
