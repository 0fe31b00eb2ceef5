using System.Collections.Concurrent;
using Polly;
using Outcome = Polly.Outcome;

namespace HttpResilience.Peers;

/// <summary>
/// Polly alone: one handler around a pipeline, as an application writes it. It takes a pooled context, a static callback, and outcomes
/// instead of exceptions inside the pipeline.
/// </summary>
internal abstract class PipelineHandler : DelegatingHandler
{
    protected abstract ResiliencePipeline<HttpResponseMessage> PipelineFor(Uri uri);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: false, cancellationToken);
        try
        {
            var outcome = await PipelineFor(request.RequestUri!).ExecuteOutcomeAsync(
                Attempt, context, (Handler: this, Request: request)).ConfigureAwait(false);
            outcome.ThrowIfException();
            return outcome.Result!;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private static async ValueTask<Outcome<HttpResponseMessage>> Attempt(
        ResilienceContext context, (PipelineHandler Handler, HttpRequestMessage Request) state)
    {
        try
        {
            return Outcome.FromResult(await state.Handler.SendInnerAsync(state.Request, context.CancellationToken).ConfigureAwait(false));
        }
        catch (Exception e)
        {
            return Outcome.FromException<HttpResponseMessage>(e);
        }
    }

    private Task<HttpResponseMessage> SendInnerAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        base.SendAsync(request, cancellationToken);
}

/// <summary>One pipeline, and therefore one circuit, for all hosts of the client.</summary>
internal sealed class OnePipelineHandler(PollySettings settings) : PipelineHandler
{
    private readonly ResiliencePipeline<HttpResponseMessage> _pipeline = settings.Build();

    protected override ResiliencePipeline<HttpResponseMessage> PipelineFor(Uri uri) => _pipeline;
}

/// <summary>One pipeline per host, as with <c>SelectPipelineByAuthority</c> of Microsoft.Extensions.Http.Resilience.</summary>
internal sealed class PipelineByAuthorityHandler(PollySettings settings) : PipelineHandler
{
    private readonly ConcurrentDictionary<(string Scheme, string Host, int Port), ResiliencePipeline<HttpResponseMessage>> _pipelines =
        new();

    protected override ResiliencePipeline<HttpResponseMessage> PipelineFor(Uri uri) =>
        _pipelines.GetOrAdd((uri.Scheme, uri.Host, uri.Port), static (_, settings) => settings.Build(), settings);
}
