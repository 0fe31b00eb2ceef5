using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>Puts the chain on a client of the factory: the stages in order, outermost first. A stage that is switched off is not there at all.</summary>
/// <param name="services">The root container.</param>
/// <param name="clientName">The client; null for all of them.</param>
internal sealed class ConfigureResilientClient(IServiceProvider services, string? clientName)
    : IConfigureNamedOptions<HttpClientFactoryOptions>, IPostConfigureOptions<HttpClientFactoryOptions>
{
    private static readonly TimeSpan Backstop = TimeSpan.FromSeconds(1);

    public void Configure(HttpClientFactoryOptions options) => Configure(Options.DefaultName, options);

    public void Configure(string? name, HttpClientFactoryOptions options)
    {
        if (clientName is not null && clientName != name)
            return;

        // First, so that whatever the application sets wins.
        options.HttpClientActions.Insert(0, client => SetDefaults(StateOf(services, name), client));
        options.HttpMessageHandlerBuilderActions.Add(builder => AddChain(StateOf(services, name), builder));
    }

    // After everything that the application does to the client.
    public void PostConfigure(string? name, HttpClientFactoryOptions options)
    {
        if (clientName is null || clientName == name)
            options.HttpClientActions.Add(client => Complete(StateOf(services, name), client));
    }

    private static void AddChain(ClientState client, HttpMessageHandlerBuilder builder)
    {
        var handlers = builder.AdditionalHandlers;
        if (handlers.Any(h => h is RequestLoggingHandler))
            return;

        handlers.Add(new RequestLoggingHandler(client, Logger<RequestLoggingHandler>(builder)));
        if (client.Policy.Idempotency is not null)
            handlers.Add(new IdempotencyKeyHandler());
        if (client.Policy.Idempotency?.RememberFor is not null)
            handlers.Add(new ResponseReplayHandler(client, builder.Services.GetRequiredService<IIdempotencyStore>(), Logger<ResponseReplayHandler>(builder)));
        if (client.Policy.Fallback is not null)
            handlers.Add(new FallbackHandler(client, builder.Services.GetService<IFallbackStore>() is null ? null : builder.Services.GetRequiredService<FallbackArchive>()));
        if (client.Policy.DeadLetter is not null)
            handlers.Add(new DeadLetterHandler(client, builder.Services.GetRequiredService<IDeadLetterStore>(), builder.Services.GetRequiredService<DeadLetterMeter>(), Logger<DeadLetterHandler>(builder)));
        handlers.Add(new RetryHandler(client, Logger<RetryHandler>(builder)));
        if (client.Policy.Hedging is not null)
            handlers.Add(new HedgingHandler(client, Logger<HedgingHandler>(builder)));
        if (client.Policy.CircuitBreaker is not null)
            handlers.Add(new CircuitBreakerHandler(client));
        if (client.Policy.RateLimiter is not null)
            handlers.Add(new RateLimitingHandler(client));
        if (client.Policy.Chaos is not null)
            handlers.Add(new ChaosHandler());
    }

    private static void SetDefaults(ClientState client, HttpClient httpClient)
    {
        httpClient.BaseAddress ??= client.Policy.BaseAddress;
        httpClient.Timeout = BackstopOf(client);
    }

    private static void Complete(ClientState client, HttpClient httpClient)
    {
        // Microsoft's handler comes with an infinite timeout (dotnet/extensions#5363). That is not the application's word, and goes with it.
        if (client.ForeignHandlerIsRemoved && httpClient.Timeout == Timeout.InfiniteTimeSpan)
            httpClient.Timeout = BackstopOf(client);
        client.Observe(httpClient);
    }

    private static TimeSpan BackstopOf(ClientState client) => client.Policy.TotalRequestTimeout + Backstop ?? Timeout.InfiniteTimeSpan;

    private static ClientState StateOf(IServiceProvider services, string? name) => services.GetRequiredKeyedService<ClientState>(name ?? Options.DefaultName);

    private static ILogger<T> Logger<T>(HttpMessageHandlerBuilder builder) => AlertClient.LoggerFor<T>(builder.Services, builder.Name);
}
