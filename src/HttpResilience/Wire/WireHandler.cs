using System.Net;

namespace HttpResilience;

/// <summary>
/// The innermost stage: only the primary handler is inside it, and handlers of the application stand between it and the other stages. A
/// chain without such handlers needs it only for captures.
/// </summary>
internal sealed class WireHandler(TimeProvider time) : ChainHandler
{
    protected override ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken) =>
        call.IsCaptured && request.Options.TryGetValue(WireRequestCapture.Key, out var capture)
            ? CaptureAsync(capture, request, call, async, cancellationToken)
            : NextAsync(request, call, async, cancellationToken);

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        EnterAsync(request, async: true, cancellationToken).AsTask();

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        EnterAsync(request, async: false, cancellationToken).AsTask().GetAwaiter().GetResult();

    private ValueTask<HttpResponseMessage> EnterAsync(HttpRequestMessage request, bool async, CancellationToken cancellationToken) =>
        request.Options.TryGetValue(HttpCall.Key, out var call)
            ? SendAsync(request, call, async, cancellationToken)
            : LeaveAsync(request, async, cancellationToken);

    private async ValueTask<HttpResponseMessage> CaptureAsync(
        WireRequestCapture capture, HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        var given = request.Headers.NonValidated.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        var cookies = CookiesOf(InnerHandler);
        capture.Begin(
            request, cookies is { Count: > 0 } && request.RequestUri is { IsAbsoluteUri: true } uri ? cookies.GetCookieHeader(uri) : "",
            time.GetTimestamp());
        // The platform's handlers change the URI only to follow a redirect; a derived handler may change it for other reasons.
        bool followsRedirects = InnerHandler?.GetType() is { } primary
            && (primary == typeof(SocketsHttpHandler) || primary == typeof(HttpClientHandler));
        try
        {
            var response = await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);
            // A primary handler of the application may have sent a copy.
            if (response.RequestMessage is { } copy && copy != request)
                capture.Add(given, copy, followsRedirects);
            return response;
        }
        finally
        {
            capture.Add(given, request, followsRedirects);
            capture.End();
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
