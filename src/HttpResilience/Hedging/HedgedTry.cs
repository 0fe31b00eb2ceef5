namespace HttpResilience;

/// <summary>
/// One of the parallel requests of an attempt: its own message, its own view of the call, and its result.
/// </summary>
internal sealed class HedgedTry(HttpRequestMessage request, HttpCall call, bool safe)
{
    internal HttpRequestMessage Request => request;

    /// <summary>Where it was sent; redirects change the request.</summary>
    internal Uri? Uri { get; } = request.RequestUri;

    internal HttpCall Call => call;

    internal long StartedAt => call.StartedAt;

    internal long EndedAt { get; private set; }

    internal AttemptResult Result { get; private set; }

    internal HttpResponseMessage? Response { get; private set; }

    internal Exception? Exception { get; private set; }

    /// <summary>Its result ends the race.</summary>
    internal bool HasWon { get; private set; }

    /// <summary>False when the request was rejected before it was sent, by the circuit or a limit.</summary>
    internal bool WasSent => Exception is not RejectedException;

    internal void End(HttpResponseMessage? response, Exception? exception, in AttemptResult result, long endedAt)
    {
        (Response, Exception, Result, EndedAt) = (response, exception, result, endedAt);
        HasWon = HedgingDecision.Wins(result, safe);
    }
}
