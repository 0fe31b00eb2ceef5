using System.Globalization;

namespace HttpResilience.Operators;

/// <summary>Scheme, host and port as <see cref="DeadLetter.Authority"/> has them, of addresses that a person typed.</summary>
internal static class LetterHost
{
    /// <returns>Null when it is not an absolute http or https address, or has user-info.</returns>
    internal static string? Of(Uri uri)
    {
        ArgumentNullException.ThrowIfNull(uri);
        if (uri is not { IsAbsoluteUri: true, UserInfo: "", Host: not "" }
            || !uri.Scheme.Split('+').All(scheme => scheme is "http" or "https") || DnsNameOf(uri) is not { Length: > 0 } name)
        {
            return null;
        }

        string host = name.Contains(':', StringComparison.Ordinal) && name[0] != '[' ? $"[{name}]" : name;
        bool isDefaultPort = uri.Port < 0 || uri.Port == (uri.Scheme == "https" ? 443 : 80);
        return isDefaultPort ? $"{uri.Scheme}://{host}" : string.Create(CultureInfo.InvariantCulture, $"{uri.Scheme}://{host}:{uri.Port}");
    }

    // A Uri accepts hosts that have no form in DNS, and throws when it is asked for that.
    private static string? DnsNameOf(Uri uri)
    {
        try
        {
            return uri.IdnHost;
        }
        catch (UriFormatException)
        {
            return null;
        }
    }
}
