using System.Net;

namespace HttpResilience;

/// <summary>The innermost handler before the primary one: captures the request of a call with a <see cref="WireRequestCapture"/>.</summary>
/// <param name="primary">The primary handler.</param>
internal sealed class WireRequestCaptureHandler(HttpMessageHandler primary, TimeProvider time) : DelegatingHandler
{
    // The platform's handlers change the URI only to follow a redirect; a derived handler may change it for other reasons.
    private readonly bool _followsRedirects = primary.GetType() == typeof(SocketsHttpHandler)
        || primary.GetType() == typeof(HttpClientHandler);
    private readonly CookieContainer? _cookies = CookiesOf(primary);

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        request.Options.TryGetValue(WireRequestCapture.Key, out var sent)
            ? SendAsync(request, sent, async: true, cancellationToken)
            : base.SendAsync(request, cancellationToken);

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        request.Options.TryGetValue(WireRequestCapture.Key, out var sent)
            ? SendAsync(request, sent, async: false, cancellationToken).GetAwaiter().GetResult()
            : base.Send(request, cancellationToken);

    private async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, WireRequestCapture sent, bool async, CancellationToken cancellationToken)
    {
        var given = request.Headers.NonValidated.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        string cookies = _cookies is { Count: > 0 } && request.RequestUri is { IsAbsoluteUri: true } uri
            ? _cookies.GetCookieHeader(uri) : "";
        sent.Begin(request, cookies, time.GetTimestamp());
        try
        {
            var response = async ? await base.SendAsync(request, cancellationToken).ConfigureAwait(false)
                : base.Send(request, cancellationToken);
            // A primary handler of the application may have sent a copy.
            if (response.RequestMessage is { } copy && copy != request)
                sent.Add(given, copy, _followsRedirects);
            return response;
        }
        finally
        {
            sent.Add(given, request, _followsRedirects);
            sent.End();
        }
    }

    private static CookieContainer? CookiesOf(HttpMessageHandler? handler) => handler switch
    {
        SocketsHttpHandler { UseCookies: true } sockets => sockets.CookieContainer,
        HttpClientHandler { UseCookies: true } http => http.CookieContainer,
        DelegatingHandler outer => CookiesOf(outer.InnerHandler),
        _ => null,
    };
}
