namespace HttpResilience;

/// <summary>A call that has ended, as observers get it.</summary>
public readonly struct EndedCall
{
    internal EndedCall(ObservedClient client, HttpCall call, ObservedHost? host, in CallOutcome outcome) =>
        (Client, Call, Host, Outcome) = (client, call, host, outcome);

    /// <summary>The client.</summary>
    public ObservedClient Client { get; }

    /// <summary>The call.</summary>
    public HttpCall Call { get; }

    /// <summary>
    /// The host of the request, tenants apart; null when the request has no absolute URI, or the call was answered or refused before its
    /// host was looked up.
    /// </summary>
    public ObservedHost? Host { get; }

    /// <summary>How the call counts for the API.</summary>
    public CallOutcome Outcome { get; }

    /// <summary>When the call ended, in timestamps of <see cref="ObservedClient.Time"/>.</summary>
    public long EndedAt => Call.EndedAt;
}
