using System.Collections.Concurrent;
using System.Net;
using Polly;
using Polly.CircuitBreaker;
using Polly.Hedging;
using Polly.Retry;
using Polly.Timeout;
using Outcome = Polly.Outcome;

namespace HttpResilience.Benchmarks;

/// <summary>
/// The peer: one handler with a Polly.Core pipeline of total timeout, retry, circuit breaker and attempt timeout, without telemetry. It has
/// the chain's default values, a pooled context, a static callback and outcomes instead of exceptions inside the pipeline.
/// </summary>
internal abstract class PollyHandler : DelegatingHandler
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
        ResilienceContext context, (PollyHandler Handler, HttpRequestMessage Request) state)
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

    internal static ResiliencePipeline<HttpResponseMessage> Build(ClientSettings settings)
    {
        var builder = new ResiliencePipelineBuilder<HttpResponseMessage>().AddTimeout(TimeSpan.FromSeconds(100))
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                MaxRetryAttempts = 3,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = settings.RetriesAtOnce ? TimeSpan.Zero : TimeSpan.FromSeconds(1),
                ShouldHandle = static arguments => new(IsTransient(arguments.Outcome)),
            });

        if (settings.Hedges)
        {
            builder.AddHedging(new HedgingStrategyOptions<HttpResponseMessage>
            {
                Delay = TimeSpan.FromMilliseconds(500),
                MaxHedgedAttempts = 1,
                ShouldHandle = static arguments => new(IsTransient(arguments.Outcome)),
            });
        }

        return builder
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<HttpResponseMessage>
            {
                FailureRatio = settings.FailureRatio,
                MinimumThroughput = 100,
                SamplingDuration = TimeSpan.FromSeconds(30),
                BreakDuration = settings.StaysOpen ? ClientSettings.LongBreak : TimeSpan.FromSeconds(30),
                ShouldHandle = static arguments => new(IsTransient(arguments.Outcome)),
            })
            .AddTimeout(TimeSpan.FromSeconds(30))
            .Build();
    }

    private static bool IsTransient(Outcome<HttpResponseMessage> outcome) => outcome switch
    {
        { Result: { } response } =>
            response.StatusCode is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError,
        { Exception: HttpRequestException or TimeoutRejectedException } => true,
        _ => false,
    };
}

/// <summary>One pipeline, and therefore one circuit, for all hosts of the client.</summary>
internal sealed class OnePipelineHandler(ClientSettings settings) : PollyHandler
{
    private readonly ResiliencePipeline<HttpResponseMessage> _pipeline = Build(settings);

    protected override ResiliencePipeline<HttpResponseMessage> PipelineFor(Uri uri) => _pipeline;
}

/// <summary>One pipeline per host, as with <c>SelectPipelineByAuthority</c> of Microsoft.Extensions.Http.Resilience.</summary>
internal sealed class PipelineByAuthorityHandler(ClientSettings settings) : PollyHandler
{
    private readonly ConcurrentDictionary<(string Scheme, string Host, int Port), ResiliencePipeline<HttpResponseMessage>> _pipelines =
        new();

    protected override ResiliencePipeline<HttpResponseMessage> PipelineFor(Uri uri) =>
        _pipelines.GetOrAdd((uri.Scheme, uri.Host, uri.Port), static (_, settings) => Build(settings), settings);
}
