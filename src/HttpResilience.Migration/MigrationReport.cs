using System.Globalization;
using System.Text;

namespace HttpResilience.Migration;

/// <summary>What will differ when the chain takes the place of a standard handler.</summary>
internal static class MigrationReport
{
    /// <summary>The differences as a table of text.</summary>
    internal static string Of(PeerSettings settings)
    {
        string[] unsupported = [.. UnsupportedOptions.In(settings)];
        var text = new StringBuilder();
        text.Append("Kept: ").Append(Kept(settings)).AppendLine();
        Write(text, [new("option", "Microsoft", "HttpResilience"), .. RowsOf(settings)]);
        foreach (string option in unsupported)
            text.AppendLine().Append("Stops the start: ").Append(option);
        return text.ToString();
    }

    internal static IEnumerable<Difference> RowsOf(PeerSettings settings)
    {
        var to = new HttpResilienceOptions();
        PeerMapping.Apply(settings, to);
        return [.. CallsOf(settings), .. WaitsOf(settings), .. CircuitOf(settings, to.CircuitBreaker), .. LimiterOf(settings, to),
            .. HedgingOf(settings), .. HandlersOf(settings),
            new("Exceptions", "TimeoutRejectedException, BrokenCircuitException, RateLimiterRejectedException",
                "TaskCanceledException with TimeoutException, CircuitOpenException, RateLimitedException"),
            new("HttpClient.Timeout", "infinite, whatever was set before the handler",
                "as the application has set it; else a little longer than the total timeout"),
            new("Log", "several records for an attempt", "one for a call")];
    }

    private static IEnumerable<Difference> CallsOf(PeerSettings settings)
    {
        yield return new("POST and PATCH", settings.Hedging is null ? "repeated without a key" : "sent twice without a key",
            "each call gets an Idempotency-Key; without one not repeated when it may have been processed");
        if (settings.Retry is { } retry)
        {
            yield return new("Retry:Budget", "none",
                "retries add at most 20 % to the calls of a host that fails, and wait up to 10 s for room");
            if (!PeerDefaults.Delays(retry))
                yield return new("Retry.DelayGenerator", "replaces Retry-After", "is asked; a longer Retry-After counts");
            if (retry.OnRetry is not null)
            {
                yield return new("Retry.OnRetry", "its exception ends the call", "its exception is logged");
                yield return new("A request that Retry.OnRetry changes", "is sent as changed",
                    "is sent as it was; a DelegatingHandler after this one can change it");
            }
        }

        if (settings.HasDelegates)
        {
            yield return new("ShouldHandle, DelayGenerator, OnTimeout, OnRejected", "an exception ends the call",
                "an exception is logged, and the call goes on without the delegate");
        }

        if (settings.Retry is { } r ? PeerDefaults.Retries(r) : PeerDefaults.Hedges(settings.Hedging!))
        {
            yield return new("What is retried", "408, 429, 500 to 599, HttpRequestException, timeouts of an attempt",
                "these and 421, 425, timeouts while connecting, IOException; not 501, 505, nor errors that no retry changes, such as "
                + "UserAuthenticationError");
        }

        if (settings.Attempt.TimeoutGenerator is not null)
            yield return new($"{settings.AttemptOption}.TimeoutGenerator", "is asked for each attempt", "is asked for each call");
    }

    private static IEnumerable<Difference> WaitsOf(PeerSettings settings)
    {
        const string AllCalls = "a Retry-After of 429 or 503 holds back all calls to the host";
        if (settings.Retry is not { } retry)
        {
            yield return new("Pause of a host", "a Retry-After is not heeded", AllCalls);
            yield break;
        }

        if (retry is { ShouldRetryAfterHeader: true, DelayGenerator: not null })
        {
            yield return new("Pause of a host", "a Retry-After holds back the call that got it", AllCalls);
            yield return new("Retry-After", "is waited for until the total timeout ends the call",
                "longer than the time left, or than Retry:MaxRetryAfter (5 min): the response is returned at once");
        }

        yield return new("Backoff beyond the total timeout", "is waited for until TimeoutRejectedException ends the call",
            "the response is returned at once");
    }

    private static IEnumerable<Difference> HandlersOf(PeerSettings settings)
    {
        if (settings.IsBesideAll)
            yield return new("Handlers of all clients", "repeat each attempt again", "are replaced by the chain");
        if (settings.IsTwice)
            yield return new("The same handler twice", "repeats each attempt again", "the chain stands once");
    }

    private static IEnumerable<Difference> CircuitOf(PeerSettings settings, CircuitBreakerOptions to)
    {
        var (circuit, standard) = (settings.CircuitBreaker, PeerDefaults.Standard.CircuitBreaker);
        string scope = settings switch
        {
            { Key: not null } => "one for each key",
            { IsByAuthority: true } or { Hedging: not null } => "one for each host",
            _ => "one for the client",
        };
        yield return new(
            "Circuit", scope, settings.Key is null ? "one for each host" : "one for each host, and one for each key as its tenant");
        if (settings.Retry is not null)
            yield return new("Retry at an open circuit", "waits, and is then rejected", "waits for the circuit, or is rejected at once");
        if (Text(circuit.FailureRatio) is var ratio && ratio == Text(standard.FailureRatio))
        {
            yield return new("CircuitBreaker:FailureRatio", ratio,
                $"{Text(to.FailureRatio)}, or {to.FailureThreshold} failures in a row over {Text(to.FailureDuration)}");
        }

        if (circuit.BreakDuration == standard.BreakDuration)
        {
            yield return new("CircuitBreaker:BreakDuration", $"{Text(circuit.BreakDuration)}, calls fail at once",
                $"{Text(to.BreakDuration)} to {Text(to.MaxBreakDuration)}, calls wait up to {Text(to.MaxWait)}");
        }
    }

    private static IEnumerable<Difference> LimiterOf(PeerSettings settings, HttpResilienceOptions to)
    {
        if (settings.RateLimiter.RateLimiter is not null)
            yield break;
        var limit = settings.RateLimiter.DefaultRateLimiterOptions;
        string calls = settings.Hedging is null ? "calls of the client at once, their waits included" : "attempts to a host at once";
        yield return new("RateLimiter", $"{limit.PermitLimit} {calls}",
            to.RateLimiter is null ? "no limit" : $"{limit.PermitLimit} attempts to a host at once");
    }

    private static IEnumerable<Difference> HedgingOf(PeerSettings settings)
    {
        if (settings.Hedging is null)
            yield break;
        yield return new("Hedging after a failure", "any failure", "not after 429 or a Retry-After");
        yield return new("HttpClient.Send", "hedges", "sends one request");
        yield return new("Endpoint.Timeout", "of each request", "of the requests of a call together");
        if (settings.Weighted.Count > 1 && settings.Weighted.Any(g => g.Endpoints.Count > 1))
        {
            yield return new(
                "Groups with several endpoints", "the next request goes to another group", "the next request goes to another endpoint");
        }

        if (settings.Ordered.Count + settings.Weighted.Count > 0)
            yield return new("Endpoints", "for every request", "for requests to the client's BaseAddress or to an endpoint");
    }

    private static string Kept(PeerSettings settings)
    {
        string attempts = settings switch
        {
            { Retry: { } retry } => $"{retry.MaxRetryAttempts} retries, {retry.BackoffType} {Text(retry.Delay)}",
            { Hedging: { } hedging } => $"{hedging.MaxHedgedAttempts} hedged after {Text(hedging.Delay)}",
            _ => "",
        };
        return $"total timeout {Text(settings.Total.Timeout)}, attempt timeout {Text(settings.Attempt.Timeout)}, {attempts}";
    }

    private static string Text(TimeSpan? time) => time is { } value
        ? string.Create(CultureInfo.InvariantCulture, $"{value.TotalSeconds:0.###} s") : "never";

    private static string Text(double? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "none";

    private static void Write(StringBuilder text, Difference[] rows)
    {
        int option = rows.Max(r => r.Option.Length), microsoft = rows.Max(r => r.Microsoft.Length);
        foreach (var row in rows)
        {
            text.AppendLine().Append(row.Option.PadRight(option)).Append(" | ").Append(row.Microsoft.PadRight(microsoft)).Append(" | ")
                .Append(row.HttpResilience);
        }
    }
}

/// <summary>One thing that differs.</summary>
/// <param name="Option">The option or the behaviour.</param>
/// <param name="Microsoft">What the standard handler does.</param>
/// <param name="HttpResilience">What the chain does.</param>
internal sealed record Difference(string Option, string Microsoft, string HttpResilience);
