using Polly.Hedging;

namespace HttpResilience.Migration;

/// <summary>Inside the chain: tells <c>OnHedging</c> of each request that follows the first one of a call.</summary>
internal sealed class PeerRequestHandler(PeerDelegates delegates) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (delegates.Settings.Hedging?.OnHedging is { } onHedging && MigratedCall.Current is { } call
            && call.NextRequest() is var before and > 0)
        {
            delegates.Run(nameof(delegates.Settings.Hedging.OnHedging), () => onHedging(
                new OnHedgingArguments<HttpResponseMessage>(call.Context, call.Context, before - 1)));
        }

        return base.SendAsync(request, cancellationToken);
    }
}
