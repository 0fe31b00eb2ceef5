using System.Globalization;

namespace HttpResilience;

/// <summary>Scheme, host and port (RFC 9110 §4.3.1): the key of a circuit.</summary>
internal readonly struct HttpAuthority(Uri uri) : IEquatable<HttpAuthority>
{
    private const string Http = "http";
    private const string Https = "https";

    private readonly string _scheme = uri.Scheme;
    private readonly string _host = uri.IdnHost;
    private readonly int _port = uri.Port;
    // Kept, as a look-up needs it several times. Randomized (Marvin): users of the application may choose host names.
    private readonly int _hash = uri.IdnHost.GetHashCode() ^ uri.Port;

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
        string host = _host.Contains(':') && _host[0] != '[' ? $"[{_host}]" : _host;
        bool isDefaultPort = _port == (_scheme == Https ? 443 : 80);
        return isDefaultPort || _port < 0 ? $"{_scheme}://{host}"
            : string.Create(CultureInfo.InvariantCulture, $"{_scheme}://{host}:{_port}");
    }
}
