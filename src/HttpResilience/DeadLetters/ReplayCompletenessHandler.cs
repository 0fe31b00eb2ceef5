namespace HttpResilience;

/// <summary>
/// The innermost handler of the pipeline that replays letters: a replay that lacks a header field or query parameter which its letter
/// leaves out is not sent. Handlers of the application have had the chance to add it.
/// </summary>
internal sealed class ReplayCompletenessHandler(string clientName) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Check(request);
        return base.SendAsync(request, cancellationToken);
    }

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Check(request);
        return base.Send(request, cancellationToken);
    }

    private void Check(HttpRequestMessage request)
    {
        if (ReplayOf(request) is not { LeftOut.Count: > 0 } replay)
            return;
        bool hasCookies = WireHandler.CookiesOf(InnerHandler) is { } cookies && request.RequestUri is { IsAbsoluteUri: true } uri
            && cookies.GetCookieHeader(uri).Length > 0;
        // A primary handler adds its cookies itself.
        string[] leftOut = [.. replay.LeftOut.Where(name => !hasCookies || !name.Equals("Cookie", StringComparison.OrdinalIgnoreCase))];
        if (LeftOutRules.MissingIn(request, leftOut) is not { } missing)
            return;
        replay.Missing = missing;
        throw new NotSupportedException(
            $"The dead letter {replay.LetterId} was not sent: it is stored without {DeadLetterDecision.Describe(missing)}, and no handler "
            + $"of client '{clientName}' adds it again.");
    }

    // A handler of the application may send a copy without the options of the request.
    private ReplayedCall? ReplayOf(HttpRequestMessage request)
    {
        if (request.Options.TryGetValue(ReplayedCall.Key, out var replay))
            return replay;
        if (request.Options.TryGetValue(HttpCall.Key, out var call))
            return call.Replay;
        return AmbientRequest.Of(clientName) is { } ambient && OtherRequestKind.Of(request, ambient.Request) is not OtherRequest.None
            ? ambient.Call.Replay : null;
    }
}
