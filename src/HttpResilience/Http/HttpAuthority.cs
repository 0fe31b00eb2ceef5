using System.Globalization;

namespace HttpResilience;

/// <summary>Scheme, host and port (RFC 9110 §4.3.1): the key of a circuit.</summary>
internal readonly struct HttpAuthority : IEquatable<HttpAuthority>
{
    private const string Http = "http";
    private const string Https = "https";

    // The texts of those that were asked for last: logs, metrics and keys want the same few again and again.
    private static readonly Named?[] Latest = new Named?[64];

    private readonly string _scheme;
    private readonly string _host;
    private readonly int _port;
    // Kept, as a look-up needs it several times. Randomized (Marvin): users of the application may choose host names.
    private readonly int _hash;

    internal HttpAuthority(Uri uri)
    {
        (_scheme, _host, _port) = (uri.Scheme, uri.IdnHost, uri.Port);
        _hash = _host.GetHashCode() ^ _port;
    }

    /// <summary>
    /// The authority of an absolute http or https URI; null for any other, and for a host that has no form in DNS.
    /// </summary>
    internal static HttpAuthority? Find(Uri? uri)
    {
        if (!IsHttp(uri))
            return null;
        try
        {
            return uri!.IdnHost.Length > 0 ? new(uri) : null;
        }
        catch (UriFormatException)
        {
            // A Uri accepts hosts that have no form in DNS, and throws when it is asked for that.
            return null;
        }
    }

    /// <summary>The host name in its DNS form.</summary>
    internal string Host => _host;

    /// <summary>The port; -1 for a name that service discovery resolves.</summary>
    internal int Port => _port;

    public bool Equals(HttpAuthority other) => _port == other._port && _host == other._host && _scheme == other._scheme;

    public override bool Equals(object? obj) => obj is HttpAuthority other && Equals(other);

    public override int GetHashCode() => _hash;

    /// <summary>The regular expression of <see cref="IsValid"/>, for the JSON schema.</summary>
    internal const string Pattern = @"^[Hh][Tt][Tt][Pp][Ss]?(\+[Hh][Tt][Tt][Pp][Ss]?)*://[^/?#@]+/?$";

    /// <summary>Whether the text is an http or https URI without path, query and fragment.</summary>
    internal static bool IsValid(string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && IsHttp(uri) && uri is { PathAndQuery: "/", UserInfo: "", Fragment: "" };

    /// <summary>The regular expression of <see cref="IsBaseAddress"/>, for the JSON schema.</summary>
    internal const string BasePattern = @"^[Hh][Tt][Tt][Pp][Ss]?(\+[Hh][Tt][Tt][Pp][Ss]?)*://[^?#@]+$";

    /// <summary>Whether the text is an http or https URI with neither user-info, query nor fragment.</summary>
    internal static bool IsBaseAddress(string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && IsHttp(uri) && uri is { Query: "", UserInfo: "", Fragment: "" };

    /// <summary>
    /// Whether a URI is absolute and of http, https, or several schemes from which service discovery chooses, such as
    /// <c>https+http://catalog</c>.
    /// </summary>
    internal static bool IsHttp(Uri? uri)
    {
        if (uri is not { IsAbsoluteUri: true, Host.Length: > 0 })
            return false;
        foreach (var scheme in uri.Scheme.AsSpan().Split('+'))
        {
            if (uri.Scheme.AsSpan()[scheme] is not (Http or Https))
                return false;
        }

        return true;
    }

    /// <summary>The authority of a request as text; empty when its URI is not absolute.</summary>
    internal static string NameOf(HttpRequestMessage request) =>
        request.RequestUri is { IsAbsoluteUri: true } uri ? new HttpAuthority(uri).ToString() : "";

    public override string ToString()
    {
        ref var latest = ref Latest[_hash & (Latest.Length - 1)];
        var named = Volatile.Read(ref latest);
        if (named is null || !Equals(named.Authority))
            Volatile.Write(ref latest, named = new(this, Compose()));
        return named.Text;
    }

    private string Compose()
    {
        string host = _host.Contains(':') && _host[0] != '[' ? $"[{_host}]" : _host;
        bool isDefaultPort = _port == (_scheme == Https ? 443 : 80);
        return isDefaultPort || _port < 0 ? $"{_scheme}://{host}"
            : string.Create(CultureInfo.InvariantCulture, $"{_scheme}://{host}:{_port}");
    }

    private sealed record Named(HttpAuthority Authority, string Text);
}
