using System.Runtime.CompilerServices;

namespace HttpResilience;

/// <summary>
/// Lets as many attempts run at once as their host bears, and a tenant's part of it; <see cref="AdaptiveLimit"/> finds how many.
/// </summary>
internal sealed class ConcurrencyHandler(Client client) : ChainHandler
{
    private readonly WaitingCalls _waiting = WaitingCalls.Of(client);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    protected override async ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        if (call.Policy.Concurrency is not { } policy || call.Host is not { } host)
            return await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);

        var (gate, tenant) = (host.GetOrAddGate(client.Time), call.TenantHost?.GetOrAddGate(client.Time));
        var (number, ofTenant, startedAt, sign) = (0, 0, 0L, LoadSign.None);
        try
        {
            if (tenant is not null)
                ofTenant = await EnterAsync(tenant, policy, call, async, cancellationToken).ConfigureAwait(false);
            number = await EnterAsync(gate, policy, call, async, cancellationToken).ConfigureAwait(false);
            startedAt = client.Time.GetTimestamp();
            var response = await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);
            sign = ConcurrencyRules.SignOf((int)response.StatusCode);
            return response;
        }
        // A filter, so that the exception is not caught and rethrown.
        catch (Exception e) when (number != 0 && Note(e, call.AttemptTimedOut, cancellationToken.IsCancellationRequested, out sign))
        {
            throw;
        }
        finally
        {
            long latency = client.Time.GetTimestamp() - startedAt;
            if (number != 0)
                gate.Exit(policy, number, latency, sign);
            if (ofTenant != 0)
                tenant!.Exit(policy, ofTenant, latency, sign);
        }
    }

    /// <returns>The number that came with the place.</returns>
    private async ValueTask<int> EnterAsync(
        ConcurrencyGate gate, ConcurrencyPolicy policy, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        var turn = gate.Enter(policy, call.Policy.AttemptEndFrom(
            call.AttemptStartedAt, ClientDeadline.LastAttemptEndOf(call), call.AttemptTimeout));
        if (turn.Number != 0)
            return turn.Number;
        if (turn.Waiter is not { } waiter)
            throw RateLimitedException.ByConcurrency(call.Host!.Key.Authority);

        using var ends = _waiting.EndOf(call, cancellationToken);
        try
        {
            if (async)
                await waiter.Turn.WaitAsync(ends?.Token ?? cancellationToken).ConfigureAwait(false);
            else
                waiter.Turn.Wait(ends?.Token ?? cancellationToken);
            return waiter.Number;
        }
        catch (OperationCanceledException)
        {
            gate.Leave(policy, waiter);
            // Nothing was sent: the attempt ended in the queue, which is a rejection and not a timeout of the host.
            if (call.AttemptTimedOut || call.IsPastDeadline || _waiting.Ends(call))
                throw RateLimitedException.ByConcurrency(call.Host!.Key.Authority);
            throw;
        }
    }

    private static bool Note(Exception exception, bool timedOut, bool cancelled, out LoadSign sign)
    {
        sign = ConcurrencyRules.SignOf(FailureClassifier.Classify(exception, timedOut, cancelled));
        return false;
    }
}
