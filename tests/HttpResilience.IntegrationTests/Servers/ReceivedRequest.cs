using System.Text;

namespace HttpResilience.IntegrationTests;

/// <summary>A request as received by a server.</summary>
internal sealed record ReceivedRequest(
    string Method, string Target, IReadOnlyDictionary<string, string> Headers, byte[] Body, string Connection)
{
    internal string? Key => Headers.GetValueOrDefault("Idempotency-Key");

    internal string Text => Encoding.UTF8.GetString(Body);
}
