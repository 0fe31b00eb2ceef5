namespace HttpResilience.Peers;

/// <summary>All points, in the order of the table.</summary>
internal static class Points
{
    internal static IReadOnlyList<Point> All { get; } =
    [
        new("1", "A POST without a key is sent once when it may have been processed",
            new("4 requests", "4 requests", "1 request", "1 request"), WritePoints.UnkeyedPost),
        new("1", "A POST with a key is repeated under that key",
            new("4 requests, 0 keys", "4 requests, 0 keys", "4 requests, 0 keys", "4 requests, 1 key"), WritePoints.KeyedPost),
        new("2", "A body that can be read once does not lose the 503",
            new("1 request, same body, HttpRequestException", "1 request, same body, HttpRequestException",
                "2 requests, same body, 200", "2 requests, same body, 200"), WritePoints.OneWayBody),
        new("3", "A response body that stalls ends with the total timeout",
            new("hangs", "waits for HttpClient.Timeout", "no timeout", "ends"), peer => TimePoints.StalledBody(peer))
        {
            Needs = Feature.Timeout,
        },
        new("3", "A response body that stalls ends with the total timeout, sent synchronously",
            new("hangs", "waits for HttpClient.Timeout", "no timeout", "ends"), peer => TimePoints.StalledBody(peer, isSync: true))
        {
            Needs = Feature.Timeout,
        },
        new("3", "A response body that stalls ends with the timeout that a typed client's constructor sets",
            new("ends", "ends", "ends", "ends"), peer => TimePoints.StalledBody(peer, ofConstructor: true)),
        new("4", "A Retry-After beyond the total timeout returns the 503 at once",
            new("1 request, TimeoutRejectedException", "4 requests, 503", "no timeout", "1 request, 503, DeadlineWouldPass"),
            peer => TimePoints.RetryAfterBeyondTotal(peer))
        {
            Needs = Feature.Timeout,
        },
        new("4", "A Retry-After beyond the timeout of a typed client's constructor returns the 503 at once",
            new("1 request, TaskCanceledException", "4 requests, 503", "1 request, 503", "1 request, 503, DeadlineWouldPass"),
            peer => TimePoints.RetryAfterBeyondTotal(peer, ofConstructor: true)),
        new("5", "A Retry-After of 60 days is not waited for",
            new("1 request, ArgumentOutOfRangeException", "4 requests, 503", "1 request, 503", "1 request, 503, RetryAfterTooLong"),
            peer => TimePoints.AbsurdRetryAfter(peer, "5184000")),
        new("5", "A Retry-After in the year 9999 is not waited for",
            new("1 request, ArgumentOutOfRangeException", "4 requests, 503", "1 request, 503", "1 request, 503, RetryAfterTooLong"),
            peer => TimePoints.AbsurdRetryAfter(peer, "Fri, 31 Dec 9999 23:59:59 GMT")),
        new("5", "A Retry-After of 2^31 seconds is not ignored",
            new("4 requests, 503", "4 requests, 503", "4 requests, 503", "1 request, 503, RetryAfterTooLong"),
            peer => TimePoints.AbsurdRetryAfter(peer, "2147483648")),
        new("6", "A Retry-After of 0 does not replace the backoff",
            new("4 requests, no wait", "4 requests, waits of the backoff", "4 requests, no wait", "4 requests, waits of the backoff"),
            peer => TimePoints.ElapsedRetryAfter(peer, "0")),
        new("6", "A Retry-After in the past does not replace the backoff",
            new("4 requests, no wait", "4 requests, waits of the backoff", "4 requests, no wait", "4 requests, waits of the backoff"),
            peer => TimePoints.ElapsedRetryAfter(peer, "Sun, 06 Nov 1994 08:49:37 GMT")),
        new("7", "A probe that is cancelled does not close the circuit",
            new("closed: 2 requests", "closed: 2 requests", "no circuit", "half-open: 1 request"), CircuitPoints.CancelledProbe)
        {
            Needs = Feature.Circuit,
        },
        new("8", "A connect timeout counts as a failure of the host",
            new("6 of 6 calls connect", "6 of 6 calls connect", "no circuit", "3 of 6 calls connect"), CircuitPoints.ConnectTimeout)
        {
            Needs = Feature.Circuit,
        },
        new("9", "One failing host does not reject calls to another",
            new("BrokenCircuitException", "BrokenCircuitException", "no circuit", "200"), CircuitPoints.OtherHost)
        {
            Needs = Feature.Circuit,
        },
        new("9", "An open circuit survives a reload of the configuration",
            new("closed", "no configuration", "no configuration", "open"), CircuitPoints.Reload) { Needs = Feature.Configuration },
        new("10", "100 calls in an outage send at most 130 requests", new("more", "more", "more", "at most 130"), LoadPoints.Outage),
        new("11", "A handler that is added twice does not multiply the attempts",
            new("16 requests", "16 requests", "16 requests", "4 requests"), LoadPoints.AddedTwice),
        new("11", "A handler inside that adds a header adds it once to each attempt",
            new("1, 2, 3, 4 values", "1, 2, 3, 4 values", "1, 1, 1, 1 values", "1, 1, 1, 1 values"), LoadPoints.AddedHeader),
        new("12", "A success writes one record at Information or above",
            new("5", "4", "4", "1"), peer => LoadPoints.LogRecords(peer, 200)),
        new("12", "Four failed attempts write one record at Information or above",
            new("17", "10", "10", "1"), peer => LoadPoints.LogRecords(peer, 503)),
        new("13", "A timeout is the exception that HttpClient throws",
            new("TimeoutRejectedException", "TimeoutRejectedException", "no timeout", "TaskCanceledException with TimeoutException"),
            peer => TimePoints.TimeoutException(peer))
        {
            Needs = Feature.Timeout,
        },
        new("13", "A timeout of a typed client's constructor is the exception that HttpClient throws",
            new("TaskCanceledException with TimeoutException", "TaskCanceledException with TimeoutException",
                "TaskCanceledException with TimeoutException", "TaskCanceledException with TimeoutException"),
            peer => TimePoints.TimeoutException(peer, ofConstructor: true)),
        new("14", "1,001 calls at the same time are sent",
            new("1 rejected", "0 rejected", "0 rejected", "0 rejected"), LoadPoints.ManyCalls),
        new("15", "Three 503 with bodies of 500 kB, then 200, use one connection",
            new("1 connection, 200", "1 connection, 200", "1 connection, 200", "1 connection, 200"), LoadPoints.Connections),
        new("16", "The state of a host takes less than 400 bytes and is bounded",
            new("more, unbounded", "more, unbounded", "no circuit", "less than 400 B, bounded"), LoadPoints.Hosts)
        {
            Needs = Feature.Circuit,
        },
        new("K2", "A POST whose redirect is limited with 429 is not sent again",
            new("1 POST", "1 POST", "1 POST", "1 POST"), WritePoints.LimitedRedirect),
        new("K2", "A POST whose redirect is refused is not sent again",
            new("1 POST", "1 POST", "1 POST", "1 POST"), WritePoints.RefusedRedirect),
        new("K3", "A JSON body from Refit is repeated",
            new("2 requests, same body, 200", "2 requests, same body, 200", "2 requests, same body, 200", "2 requests, same body, 200"),
            WritePoints.Refit),
        new("K10", "A cancellation by a handler inside is not repeated",
            new("1 attempt, TaskCanceledException", "1 attempt, TaskCanceledException", "1 attempt, TaskCanceledException",
                "1 attempt, TaskCanceledException"), TimePoints.ForeignCancellation),
        new("K10", "A body whose stream cannot be sought although it says so is sent",
            new("1 request, same body, 200", "1 request, same body, 200", "1 request, same body, 200", "1 request, same body, 200"),
            WritePoints.FalseSeek),
    ];
}
