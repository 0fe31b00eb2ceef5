using System.Net;
using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Http.Resilience;
using Polly;
using Polly.Extensions.Http;
using Polly.Registry;

namespace HttpResilience.IntegrationTests.Migration.Guide;

/// <summary>What docs/migration.md shows for users of Polly, word for word.</summary>
internal static class FromPolly
{
    internal static void BeforeOf7(HostApplicationBuilder builder)
    {
        // <polly7-before>
        builder.Services.AddHttpClient<OrderClient>("orders")
            .AddPolicyHandler(Policy.TimeoutAsync<HttpResponseMessage>(60))
            .AddPolicyHandler(HttpPolicyExtensions.HandleTransientHttpError()
                .OrResult(response => response.StatusCode is HttpStatusCode.TooManyRequests)
                .WaitAndRetryAsync(3, retry => TimeSpan.FromSeconds(Math.Pow(2, retry))))
            .AddPolicyHandler(HttpPolicyExtensions.HandleTransientHttpError().CircuitBreakerAsync(5, TimeSpan.FromSeconds(30)))
            .AddPolicyHandler(Policy.TimeoutAsync<HttpResponseMessage>(10));
        // </polly7-before>
    }

    internal static void AfterOf7(HostApplicationBuilder builder)
    {
        // <polly7-after>
        builder.Services.AddHttpClient<OrderClient>("orders").AddResilience(options =>
        {
            options.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(60);
            options.Retry.MaxRetryAttempts = 3;
            options.Retry.Delay = TimeSpan.FromSeconds(2);
            options.Retry.UseJitter = false;                                  // better: leave it on
            options.CircuitBreaker.FailureThreshold = 5;
            options.CircuitBreaker.FailureDuration = null;                    // better: leave it at 1 s
            options.CircuitBreaker.FailureRatio = null;
            options.CircuitBreaker.BreakDuration = TimeSpan.FromSeconds(30);  // better: leave it at 1 s, which is waited out
            options.CircuitBreaker.MaxBreakDuration = null;
            options.CircuitBreaker.MaxWait = null;
            options.AttemptTimeout.Timeout = TimeSpan.FromSeconds(10);
        });
        // </polly7-after>
    }

    internal static void BeforeOf8(HostApplicationBuilder builder)
    {
        // <polly8-before>
        builder.Services.AddHttpClient<OrderClient>("orders").AddResilienceHandler("orders", pipeline => pipeline
            .AddTimeout(TimeSpan.FromSeconds(60))
            .AddRetry(new HttpRetryStrategyOptions
            {
                MaxRetryAttempts = 5,
                Delay = TimeSpan.FromSeconds(1),
                ShouldHandle = arguments => ValueTask.FromResult(
                    HttpClientResiliencePredicates.IsTransient(arguments.Outcome)
                    || arguments.Outcome.Result?.StatusCode is HttpStatusCode.NotFound),
            })
            .AddCircuitBreaker(new HttpCircuitBreakerStrategyOptions
            {
                FailureRatio = 0.5,
                MinimumThroughput = 10,
                BreakDuration = TimeSpan.FromSeconds(15),
            })
            .AddTimeout(TimeSpan.FromSeconds(10)));
        // </polly8-before>
    }

    internal static void AfterOf8(HostApplicationBuilder builder)
    {
        // <polly8-after>
        builder.Services.AddHttpClient<OrderClient>("orders").AddResilience(options =>
        {
            options.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(60);
            options.Retry.MaxRetryAttempts = 5;
            options.Retry.Statuses[404] = new() { MaxRetryAttempts = 5 };
            options.CircuitBreaker.FailureThreshold = null;
            options.CircuitBreaker.FailureRatio = 0.5;
            options.CircuitBreaker.MinimumThroughput = 10;
            options.CircuitBreaker.BreakDuration = TimeSpan.FromSeconds(15);
            options.CircuitBreaker.MaxBreakDuration = null;
            options.CircuitBreaker.MaxWait = null;
            options.AttemptTimeout.Timeout = TimeSpan.FromSeconds(10);
        });
        // </polly8-after>
    }

    internal static void OwnStrategy(HostApplicationBuilder builder, Action<ResiliencePipelineBuilder<HttpResponseMessage>> addMine)
    {
        // <polly8-stays>
        builder.Services.AddHttpClient<OrderClient>("orders").AddResilience().AddPollyHandler("mine", addMine);
        // </polly8-stays>
    }

    /// <summary>A client that runs a pipeline itself.</summary>
    internal sealed class ClientBefore(HttpClient http, ResiliencePipelineProvider<string> pipelines)
    {
        // <by-hand-before>
        public async Task<Order?> GetAsync(int id, CancellationToken cancellationToken) =>
            await pipelines.GetPipeline("orders").ExecuteAsync(
                async token => await http.GetFromJsonAsync<Order>($"orders/{id}", token), cancellationToken);
        // </by-hand-before>
    }

    /// <summary>The same client with the chain.</summary>
    internal sealed class ClientAfter(HttpClient http)
    {
        // <by-hand-after>
        public async Task<Order?> GetAsync(int id, CancellationToken cancellationToken) =>
            await http.GetFromJsonAsync<Order>($"orders/{id}", cancellationToken);
        // </by-hand-after>
    }

    internal sealed record Order(int Id);
}
