using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace HttpResilience.Operations;

/// <summary>The key of an incident in the store: its parts as a JSON array.</summary>
internal static class SharedIncidentKey
{
    private const int MaxLength = 500;

    // An index of PostgreSQL has no room for the longest names.
    internal static string Of(IncidentKey key)
    {
        string text = Text(key.Topic.ToString(), key.Client, key.Authority, key.Tenant, key.Subject);
        return text.Length <= MaxLength ? text
            : text[..MaxLength] + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    /// <summary>The beginnings of the keys of the incidents that cause this one (<see cref="IncidentTracker.CausesOf"/>).</summary>
    internal static IReadOnlyList<string> PrefixesOfCauses(IncidentKey key) =>
        [.. IncidentTracker.CausesOf(key).Select(cause => $"{Text(cause.ToString(), key.Client)[..^1]},")];

    private static string Text(params string?[] parts) => JsonSerializer.Serialize(parts!, AlertJson.Default.StringArray);
}
