using System.Runtime.CompilerServices;
using System.Threading.RateLimiting;

namespace HttpResilience;

/// <summary>Lets a limited number of attempts run at once, per scheme, host and port. The limiter is the platform's.</summary>
internal sealed class RateLimitingHandler(ClientState client) : ChainHandler
{
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    protected override async ValueTask<HttpResponseMessage> SendAsync(HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        if (client.Limiter is not { } limiter || request.RequestUri is not { IsAbsoluteUri: true } uri)
            return await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);

        var authority = new HttpAuthority(uri);
        ValueTask<RateLimitLease> acquiring = limiter.AcquireAsync(authority, permitCount: 1, cancellationToken);
        using RateLimitLease permit = async || acquiring.IsCompleted ? await acquiring.ConfigureAwait(false) : acquiring.AsTask().GetAwaiter().GetResult();
        if (!permit.IsAcquired)
            throw new RateLimitedException(authority.ToString());
        return await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);
    }
}
