using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>Leaves a host that keeps failing alone for a while. One circuit for each scheme, host and port; <see cref="CircuitMachine"/> decides.</summary>
internal sealed partial class CircuitBreakerHandler(ClientState client, ILogger<CircuitBreakerHandler> logger) : ChainHandler
{
    private readonly TimeProvider _time = client.Time;

    protected override ValueTask<HttpResponseMessage> SendAsync(HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        if (call.Policy.CircuitBreaker is not { } policy || request.RequestUri is not { IsAbsoluteUri: true } uri)
            return NextAsync(request, call, async, cancellationToken);

        long now = call.AttemptStartedAt;
        var circuit = client.Circuits.For(uri, policy, now);
        var admission = circuit.Enter(policy, now);
        Announce(circuit, admission.Transition);
        if (!admission.IsAllowed)
            throw new CircuitOpenException(circuit.Authority.ToString(), admission.OpenUntil > now ? _time.GetElapsedTime(now, admission.OpenUntil) : null);

        call.Enter(circuit, admission.Ticket);
        return NextAsync(request, call, async, cancellationToken);
    }

    protected override void OnAttemptEnded(HttpCall call, in AttemptResult result, long endedAt)
    {
        if (call.LeaveCircuit(out var circuit, out int ticket))
            Announce(circuit, circuit.Report(call.Policy.CircuitBreaker!, ticket, result.CircuitOutcome, OpenAtLeast(call.Policy, result), endedAt));
    }

    // A server may ask for a long rest, not for a rest without end.
    private static long OpenAtLeast(ResiliencePolicy policy, in AttemptResult result) => result.RetryAfter is { } asked && policy.Retry.ShouldRetryAfterHeader
        ? policy.ToTimestamp(asked < policy.Retry.MaxRetryAfter ? asked : policy.Retry.MaxRetryAfter)
        : 0;

    private void Announce(CircuitMachine circuit, CircuitTransition? transition)
    {
        if (transition is null)
            return;

        string authority = circuit.Authority.ToString();
        if (transition.To is CircuitState.Open)
            CircuitOpened(logger, client.Name, authority, (long)_time.GetElapsedTime(0, transition.OpenFor).TotalMilliseconds);
        else if (transition.To is CircuitState.HalfOpen)
            CircuitHalfOpened(logger, client.Name, authority);
        else
            CircuitClosed(logger, client.Name, authority);
    }

    [LoggerMessage(301, LogLevel.Warning, "{ClientName}: the circuit of {Authority} is open, nothing is sent for {BreakMs} ms")]
    private static partial void CircuitOpened(ILogger logger, string clientName, string authority, long breakMs);

    [LoggerMessage(302, LogLevel.Information, "{ClientName}: the circuit of {Authority} is half open, a probe goes out")]
    private static partial void CircuitHalfOpened(ILogger logger, string clientName, string authority);

    [LoggerMessage(303, LogLevel.Information, "{ClientName}: the circuit of {Authority} is closed, the host is well again")]
    private static partial void CircuitClosed(ILogger logger, string clientName, string authority);
}
