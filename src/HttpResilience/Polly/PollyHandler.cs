using Polly;

namespace HttpResilience;

/// <summary>Sends what passes it through a Polly pipeline. An ordinary handler, which needs no chain around it.</summary>
internal sealed class PollyHandler(ResiliencePipeline<HttpResponseMessage> pipeline) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        SendAsync(request, async: true, cancellationToken);

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        SendAsync(request, async: false, cancellationToken).GetAwaiter().GetResult();

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, bool async, CancellationToken cancellationToken)
    {
        var context = ContextOf(request, cancellationToken);
        try
        {
            var state = (Handler: this, Request: request);
            return async
                ? await pipeline.ExecuteAsync(
                    static (context, s) => new ValueTask<HttpResponseMessage>(s.Handler.NextAsync(s.Request, context.CancellationToken)),
                    context, state)
                    .ConfigureAwait(false)
                : pipeline.Execute(static (context, s) => s.Handler.Next(s.Request, context.CancellationToken), context, state);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private static ResilienceContext ContextOf(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: false, cancellationToken);
        context.Properties.Set(HttpResilienceContext.RequestKey, request);
        if (request.Options.TryGetValue(HttpCall.Key, out var call))
            context.Properties.Set(HttpResilienceContext.CallKey, call);
        return context;
    }

    private Task<HttpResponseMessage> NextAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        base.SendAsync(request, cancellationToken);

    private HttpResponseMessage Next(HttpRequestMessage request, CancellationToken cancellationToken) =>
        base.Send(request, cancellationToken);
}
