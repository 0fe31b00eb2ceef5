using System.Security.Cryptography;
using System.Text;

namespace HttpResilience.Operations;

/// <summary>A webhook in force.</summary>
/// <param name="Url">A secret but for its authority.</param>
/// <param name="PreviousSecret">Signs too, while receivers change to the new secret.</param>
internal sealed record AlertWebhook(
    Uri Url, AlertWebhookFormat Format, string? Secret, AlertSeverity MinimumSeverity, string? PreviousSecret = null)
{
    private const string PathBegin = "/http-resilience-alert/";

    /// <summary>Scheme, host and port: all of the address that may be shown.</summary>
    internal string Authority { get; } = AuthorityOf(Url);

    /// <summary>
    /// Replaces the address in requests until they are sent, and so in stored letters, logs and traces. The few bits of the hash
    /// distinguish the webhooks of one host and reveal nothing else.
    /// </summary>
    internal Uri Placeholder { get; } =
        new(new(AuthorityOf(Url)), PathBegin + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Url.AbsoluteUri))[..4]));

    internal static string AuthorityOf(Uri uri) =>
        new UriBuilder(uri.Scheme, uri.IdnHost, uri.IsDefaultPort ? -1 : uri.Port).Uri.GetLeftPart(UriPartial.Authority);

    // A record writes its members out.
    public override string ToString() => Authority;
}
