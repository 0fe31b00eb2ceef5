using System.Threading.RateLimiting;
using Polly;
using Polly.RateLimiting;
using Polly.Timeout;

namespace HttpResilience.Migration;

/// <summary>
/// Outside the chain: asks the delegates of the standard handler what holds for a call, and gives them the context that they had there.
/// Not returned to its pool, because a hedged request may outlive the call.
/// </summary>
internal sealed class PeerCallHandler(PeerDelegates delegates) : DelegatingHandler
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        await SendAsync(request, async: true, cancellationToken).ConfigureAwait(false);

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        SendAsync(request, async: false, cancellationToken).AsTask().GetAwaiter().GetResult();

    private async ValueTask<HttpResponseMessage> SendAsync(HttpRequestMessage request, bool async, CancellationToken cancellationToken)
    {
        var settings = delegates.Settings;
        bool isOwn = request.GetResilienceContext() is null;
        var context = request.GetResilienceContext() ?? ResilienceContextPool.Shared.Get(cancellationToken);
        context.SetRequestMessage(request);
        // For the handlers inside, which share its properties with the delegates. The chain hides it from a pipeline there, which would
        // take the token of the call from it.
        request.SetResilienceContext(context);
        var call = MigratedCall.Begin(context);
        try
        {
            using var lease = await AcquireAsync(settings, request, context).ConfigureAwait(false);
            await SetTimeoutsAsync(settings, request, call).ConfigureAwait(false);
            if (settings.Key?.Invoke(request) is { Length: > 0 } key)
                request.WithTenant(key);
            return async ? await base.SendAsync(request, cancellationToken).ConfigureAwait(false) : base.Send(request, cancellationToken);
        }
        catch (RateLimitedException rejected) when (rejected.GetHttpCall() is not null)
        {
            OnRejected(settings, context, new RejectedLease(rejected.RetryAfter));
            throw;
        }
        catch (OperationCanceledException e) when (e.GetHttpCall()?.StopReason is StopReason.DeadlinePassed)
        {
            delegates.OnTimeout(settings.Total, context, call.TotalTimeout ?? settings.Total.Timeout);
            throw;
        }
        finally
        {
            call.End();
            if (isOwn)
                request.SetResilienceContext(null);
        }
    }

    private async ValueTask<RateLimitLease?> AcquireAsync(PeerSettings settings, HttpRequestMessage request, ResilienceContext context)
    {
        if (settings.RateLimiter.RateLimiter is not { } limiter)
            return null;
        var lease = await limiter(new RateLimiterArguments(context)).ConfigureAwait(false);
        if (lease.IsAcquired)
            return lease;
        OnRejected(settings, context, lease);
        TimeSpan? retryAfter = lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : null;
        lease.Dispose();
        throw new RateLimitedException(request.RequestUri?.GetLeftPart(UriPartial.Authority) ?? "", retryAfter);
    }

    private static async ValueTask SetTimeoutsAsync(PeerSettings settings, HttpRequestMessage request, MigratedCall call)
    {
        if (settings.Total.TimeoutGenerator is { } total)
        {
            var timeout = await total(new TimeoutGeneratorArguments(call.Context)).ConfigureAwait(false);
            call.TotalTimeout = IsTimeout(timeout) ? timeout : Longest;
            request.WithTimeout(call.TotalTimeout.Value);
        }

        if (settings.Attempt.TimeoutGenerator is { } attempt)
        {
            var timeout = await attempt(new TimeoutGeneratorArguments(call.Context)).ConfigureAwait(false);
            var longest = call.TotalTimeout ?? Longest;
            call.AttemptTimeout = IsTimeout(timeout) && timeout < longest ? timeout : longest;
            request.WithAttemptTimeout(call.AttemptTimeout.Value);
        }
    }

    // Polly has no timeout for any other value.
    private static bool IsTimeout(TimeSpan timeout) => timeout > TimeSpan.Zero && timeout < Longest;

    private void OnRejected(PeerSettings settings, ResilienceContext context, RateLimitLease lease)
    {
        if (settings.RateLimiter.OnRejected is { } onRejected)
            delegates.Run(nameof(settings.RateLimiter.OnRejected), () => onRejected(new OnRateLimiterRejectedArguments(context, lease)));
    }

    /// <summary>The lease of a call that the chain has rejected.</summary>
    private sealed class RejectedLease(TimeSpan? retryAfter) : RateLimitLease
    {
        public override bool IsAcquired => false;

        public override IEnumerable<string> MetadataNames => retryAfter is null ? [] : [MetadataName.RetryAfter.Name];

        public override bool TryGetMetadata(string metadataName, out object? metadata)
        {
            metadata = metadataName == MetadataName.RetryAfter.Name ? retryAfter : null;
            return metadata is not null;
        }
    }
}
