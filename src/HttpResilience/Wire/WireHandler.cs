using System.Net;

namespace HttpResilience;

/// <summary>
/// The innermost stage: inside it is only the handler that sends, and between it and the other stages are handlers of the application. It
/// records whether a request reached it and whether it was answered. A chain without such handlers needs it only for captures.
/// </summary>
internal sealed class WireHandler : ChainHandler
{
    private readonly TimeProvider _time;
    private readonly UnknownRequests _unknown;
    private readonly bool _captures;

    /// <param name="client">The client whose chain it belongs to.</param>
    /// <param name="captures">False inside a primary handler of the application: the request is captured before that may copy it.</param>
    internal WireHandler(Client client, bool captures = true)
    {
        (_time, _unknown, _captures) = (client.Time, UnknownRequests.Of(client), captures);
        _unknown.Watch();
    }

    protected override ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken) =>
        _captures && call.IsCaptured && request.Options.TryGetValue(WireRequestCapture.Key, out var capture)
            ? CaptureAsync(capture, request, call, async, cancellationToken)
            : NextAsync(request, call, async, cancellationToken);

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        request.Options.TryGetValue(HttpCall.Key, out var call)
            ? WatchAsync(request, call, async: true, cancellationToken)
            : WatchUnknownAsync(request, async: true, cancellationToken);

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        (request.Options.TryGetValue(HttpCall.Key, out var call)
            ? WatchAsync(request, call, async: false, cancellationToken)
            : WatchUnknownAsync(request, async: false, cancellationToken)).GetAwaiter().GetResult();

    private async Task<HttpResponseMessage> WatchAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        var (method, uri) = (request.Method, request.RequestUri);
        _unknown.Reach();
        call.EnterWire();
        try
        {
            var response = await SendAsync(request, call, async, cancellationToken).ConfigureAwait(false);
            call.Answer(response);
            if ((int)response.StatusCode >= 400)
                call.Compare(request, method, uri);
            return response;
        }
        catch (Exception e)
        {
            call.FailWire(e, request, method, uri);
            throw;
        }
    }

    private async Task<HttpResponseMessage> WatchUnknownAsync(
        HttpRequestMessage request, bool async, CancellationToken cancellationToken)
    {
        _unknown.Reach();
        _unknown.Send(_time.GetTimestamp());
        var uri = request.RequestUri;
        bool wasAnswered = false;
        try
        {
            var response = await LeaveAsync(request, async, cancellationToken).ConfigureAwait(false);
            wasAnswered = true;
            return response;
        }
        catch (Exception e)
        {
            if (FailureClassifier.MayHaveBeenProcessed(e))
                _unknown.Doubt(_time.GetTimestamp());
            throw;
        }
        finally
        {
            if (wasAnswered || !ReferenceEquals(request.RequestUri, uri))
                _unknown.Answer(_time.GetTimestamp());
        }
    }

    private async ValueTask<HttpResponseMessage> CaptureAsync(
        WireRequestCapture capture, HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        var given = request.Headers.NonValidated.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        var cookies = CookiesOf(InnerHandler);
        capture.Begin(
            request, cookies is { Count: > 0 } && request.RequestUri is { IsAbsoluteUri: true } uri ? cookies.GetCookieHeader(uri) : "",
            _time.GetTimestamp());
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
