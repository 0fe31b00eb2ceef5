using System.Net.Http.Headers;

namespace HttpResilience;

/// <summary>
/// The <see cref="HttpClient"/> that sends a request. Its timeout and limits are read when a call starts, so they hold wherever the
/// application set them: also in the constructor of a typed client, and for two clients of one name.
/// </summary>
/// <param name="httpClient">The client.</param>
/// <param name="startedAt">
/// The timestamp at which it sent the request; 0 when the chain is the first to get it and the start of the call is the same.
/// </param>
internal sealed class SendingClient(HttpClient httpClient, long startedAt = 0)
{
    /// <summary>On a request: its client.</summary>
    internal static readonly HttpRequestOptionsKey<SendingClient> Key = new("HttpResilience.SendingClient");

    private readonly string[]? _headers;
    private readonly Uri? _uri;

    /// <param name="httpClient">The client.</param>
    /// <param name="startedAt">The timestamp at which it sent the request.</param>
    /// <param name="headers">The header fields of the request before the handlers outside the chain got it.</param>
    /// <param name="uri">Its URI then.</param>
    internal SendingClient(HttpClient httpClient, long startedAt, HttpHeadersNonValidated headers, Uri? uri)
        : this(httpClient, startedAt) => (_headers, _uri) = ([.. headers.Select(h => h.Key)], uri);

    /// <summary>The client on a request; null for none.</summary>
    /// <param name="hasOthers">The request has other options too.</param>
    internal static SendingClient? Of(HttpRequestMessage request, out bool hasOthers)
    {
        request.Options.TryGetValue(Key, out var sending);
        hasOthers = CountOptions(request) > (sending is null ? 0 : 1);
        return sending;
    }

    /// <summary>The request has options of the application, or is a replay.</summary>
    internal static bool HasOptions(HttpRequestMessage request) => CountOptions(request) > 0;

    private static int CountOptions(HttpRequestMessage request) => ((ICollection<KeyValuePair<string, object?>>)request.Options).Count;

    internal HttpClient HttpClient => httpClient;

    internal long StartedAt => startedAt;

    /// <summary>
    /// Whether the request, or the client's default headers, had a header field; else a handler outside the chain added it.
    /// </summary>
    internal bool HasHeader(string name) => _headers is null || _headers.Contains(name, StringComparer.OrdinalIgnoreCase);

    /// <summary>The URI of the request before the handlers outside the chain got it; null when there are none.</summary>
    internal Uri? Uri => _headers is null ? null : _uri;
}
