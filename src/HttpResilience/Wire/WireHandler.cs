using System.Net;

namespace HttpResilience;

/// <summary>
/// The innermost stage: inside it is only the handler that sends, and between it and the other stages are handlers of the application. It
/// records whether a request reached it and whether it was answered. A chain without such handlers needs it only for captures.
/// </summary>
internal sealed class WireHandler : ChainHandler
{
    private readonly TimeProvider _time;
    private readonly WireReach _reach;
    private readonly string _clientName;
    private readonly bool _captures;

    /// <param name="client">The client whose chain it belongs to.</param>
    /// <param name="captures">False inside a primary handler of the application: the request is captured before that may copy it.</param>
    internal WireHandler(Client client, bool captures = true)
    {
        (_time, _reach, _clientName, _captures) = (client.Time, WireReach.Of(client), client.Name, captures);
        _reach.Watch();
    }

    protected override ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken) =>
        _captures && call.IsCaptured && request.Options.TryGetValue(WireRequestCapture.Key, out var capture)
            ? CaptureAsync(capture, request, call, async, cancellationToken)
            : NextAsync(request, call, async, cancellationToken);

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        request.Options.TryGetValue(HttpCall.Key, out var call)
            ? WatchAsync(request, call, async: true, cancellationToken)
            : WatchOtherAsync(request, async: true, cancellationToken);

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        (request.Options.TryGetValue(HttpCall.Key, out var call)
            ? WatchAsync(request, call, async: false, cancellationToken)
            : WatchOtherAsync(request, async: false, cancellationToken)).GetAwaiter().GetResult();

    private async Task<HttpResponseMessage> WatchAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        var (method, uri) = (request.Method, request.RequestUri);
        _reach.Reach(method);
        call.EnterWire();
        try
        {
            var response = await SendAsync(request, call, async, cancellationToken).ConfigureAwait(false);
            call.Answer(response);
            if ((int)response.StatusCode >= 400)
                call.Compare(response.RequestMessage ?? request, method, uri);
            return response;
        }
        catch (Exception e)
        {
            call.FailWire(e, request, method, uri);
            throw;
        }
    }

    // A request of a handler of the application, without a call: a copy of the call's request, or one for a purpose of its own.
    private async Task<HttpResponseMessage> WatchOtherAsync(HttpRequestMessage request, bool async, CancellationToken cancellationToken)
    {
        var (method, uri) = (request.Method, request.RequestUri);
        _reach.Reach(method);
        if (AmbientRequest.Of(_clientName) is not { } ambient)
            return await LeaveAsync(request, async, cancellationToken).ConfigureAwait(false);

        var (asked, call) = ambient;
        var kind = call.EnterOther(request, asked);
        try
        {
            var response = await LeaveAsync(request, async, cancellationToken).ConfigureAwait(false);
            call.AnswerOther(kind, response);
            if (kind is OtherRequest.Copy && (int)response.StatusCode >= 400)
                call.Compare(response.RequestMessage ?? request, method, uri);
            return response;
        }
        catch (Exception e)
        {
            call.FailOther(kind, e, request, method, uri);
            throw;
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

    /// <summary>The cookies that a primary handler adds itself; null when it adds none.</summary>
    internal static CookieContainer? CookiesOf(HttpMessageHandler? handler)
    {
        // A browser adds those of its only user itself.
        if (OperatingSystem.IsBrowser())
            return null;
        return handler switch
        {
            SocketsHttpHandler { UseCookies: true } sockets => sockets.CookieContainer,
            HttpClientHandler { UseCookies: true } http => http.CookieContainer,
            DelegatingHandler outer => CookiesOf(outer.InnerHandler),
            _ => null,
        };
    }
}
