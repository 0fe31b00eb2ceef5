using System.Globalization;

namespace HttpResilience;

/// <summary>Scheme, host and port (RFC 9110 §4.3.1): the key of a circuit.</summary>
internal readonly struct HttpAuthority(Uri uri) : IEquatable<HttpAuthority>
{
    private readonly string _scheme = uri.Scheme;
    private readonly string _host = uri.IdnHost;
    private readonly int _port = uri.Port;

    /// <summary>The host name in its DNS form.</summary>
    internal string Host => _host;

    internal int Port => _port;

    public bool Equals(HttpAuthority other) => _port == other._port && _host == other._host && _scheme == other._scheme;

    public override bool Equals(object? obj) => obj is HttpAuthority other && Equals(other);

    public override int GetHashCode() => _host.GetHashCode() ^ _port;

    /// <summary>The regular expression of <see cref="IsValid"/>, for the JSON schema.</summary>
    internal const string Pattern = "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@]+/?$";

    /// <summary>Whether the text is an http or https URI without path, query and fragment.</summary>
    internal static bool IsValid(string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri)
            && uri is { Scheme: "http" or "https", PathAndQuery: "/", UserInfo: "", Fragment: "" };

    /// <summary>The authority of a request as text; empty when its URI is not absolute.</summary>
    internal static string NameOf(HttpRequestMessage request) =>
        request.RequestUri is { IsAbsoluteUri: true } uri ? new HttpAuthority(uri).ToString() : "";

    public override string ToString()
    {
        string host = _host.Contains(':') && _host[0] != '[' ? $"[{_host}]" : _host;
        bool isDefaultPort = _port == (_scheme == Uri.UriSchemeHttps ? 443 : 80);
        return isDefaultPort ? $"{_scheme}://{host}" : string.Create(CultureInfo.InvariantCulture, $"{_scheme}://{host}:{_port}");
    }
}
