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

    /// <param name="httpClient">The client.</param>
    /// <param name="startedAt">The timestamp at which it sent the request.</param>
    /// <param name="headers">The header fields of the request before the handlers outside the chain got it.</param>
    internal SendingClient(HttpClient httpClient, long startedAt, HttpHeadersNonValidated headers)
        : this(httpClient, startedAt) => _headers = [.. headers.Select(h => h.Key)];

    internal HttpClient HttpClient => httpClient;

    internal long StartedAt => startedAt;

    /// <summary>
    /// Whether the request, or the client's default headers, had a header field; else a handler outside the chain added it.
    /// </summary>
    internal bool HasHeader(string name) => _headers is null || _headers.Contains(name, StringComparer.OrdinalIgnoreCase);
}
