using System.Runtime.CompilerServices;
using System.Threading.RateLimiting;

namespace HttpResilience;

/// <summary>
/// Lets a limited number of attempts run at once, or in a time, per scheme, host and port. The limiters are the platform's.
/// </summary>
internal sealed class RateLimitingHandler(Client client, ObservedLimits observed) : ChainHandler
{
    private readonly ClientLimiter _limiter = ClientLimiter.Of(client);
    private readonly WaitingCalls _waiting = WaitingCalls.Of(client);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    protected override async ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        if (_limiter.For(call.Policy) is not { } limiter || request.RequestUri is not { IsAbsoluteUri: true } uri)
            return await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);

        var authority = new HttpAuthority(uri);
        if (limiter.OnlyObserves)
            return await ObserveAsync(limiter, authority, request, call, async, cancellationToken).ConfigureAwait(false);
        RateLimitLease permit;
        using var ends = _waiting.EndOf(call, cancellationToken);
        try
        {
            ValueTask<RateLimitLease> acquiring = limiter.AcquireAsync(authority, ends?.Token ?? cancellationToken);
            permit = async || acquiring.IsCompleted ? await acquiring.ConfigureAwait(false) : acquiring.AsTask().GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (call.AttemptTimedOut || call.IsPastDeadline || _waiting.Ends(call))
        {
            // Nothing was sent: the attempt ended in the queue, which is a rejection and not a timeout of the host.
            throw RateLimitedException.ByClient(authority, retryAfter: null);
        }

        using (permit)
        {
            if (!permit.IsAcquired)
                throw RateLimitedException.ByClient(authority, limiter.RetryAfter(permit));
            return await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<HttpResponseMessage> ObserveAsync(
        HostLimiter limiter, HttpAuthority authority, HttpRequestMessage request, HttpCall call, bool async,
        CancellationToken cancellationToken)
    {
        // An attempt that would wait keeps its place in the queue until its turn: it would take a token then.
        var permit = limiter.AcquireAsync(authority, CancellationToken.None).AsTask();
        if (permit is not { IsCompletedSuccessfully: true, Result.IsAcquired: true })
            observed.RateLimited(call.Host, authority, waits: !permit.IsCompleted);
        try
        {
            return await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _ = permit.ContinueWith(
                static p => p.Result.Dispose(), CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously | TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
        }
    }
}
