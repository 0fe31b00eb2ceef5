using Polly;

namespace HttpResilience;

/// <summary>
/// Delays attempts, fails them or answers them itself, at random, by Polly's chaos strategies. The innermost stage: the other stages see
/// its answer as the host's.
/// </summary>
internal sealed class ChaosHandler : ChainHandler
{
    protected override ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken) =>
        call.Policy.Chaos is { } policy
            ? InjectAsync(policy, request, call, async, cancellationToken)
            : NextAsync(request, call, async, cancellationToken);

    private async ValueTask<HttpResponseMessage> InjectAsync(
        ChaosPolicy policy, HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        // The other stages see an injected fault as the host's.
        call.WasSent = true;
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: false, cancellationToken);
        try
        {
            var state = (Handler: this, Request: request, Call: call);
            return async
                ? await policy.Pipeline.ExecuteAsync(
                    static (context, s) => s.Handler.NextAsync(s.Request, s.Call, async: true, context.CancellationToken), context, state)
                    .ConfigureAwait(false)
                : policy.Pipeline.Execute(
                    static (context, s) => s.Handler.NextAsync(s.Request, s.Call, async: false, context.CancellationToken)
                        .AsTask().GetAwaiter().GetResult(),
                    context, state);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }
}
