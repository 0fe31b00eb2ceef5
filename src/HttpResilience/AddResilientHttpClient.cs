using System.Diagnostics.CodeAnalysis;
using HttpResilience;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// The stages of the chain, outermost first. A stage that is switched off is not in the chain. The application's own handlers come after
/// the last stage and run once per attempt.
/// </summary>
internal static class ResilienceChain
{
    /// <summary>
    /// A stage's switch is read when the factory builds handlers; a handler checks the call's policy too, because a reload may come
    /// between. The diagram in README and Layers.txt follow this list (tests compare).
    /// </summary>
    internal static IReadOnlyList<Stage> Stages { get; } =
    [
        new(_ => true, s => new RequestLoggingHandler(s.Client, s.Meter, s.Logger<RequestLoggingHandler>())),
        new(p => p.Idempotency is not null, s => new IdempotencyKeyHandler(s.Client)),
        new(p => p.Idempotency?.RememberFor is not null, s => new ResponseReplayHandler(
            s.Client, s.Classifier, s.Extensions, s.Get<IIdempotencyStore>(), s.Meter, s.Logger<ResponseReplayHandler>())),
        new(p => p.Fallback is not null, s => new FallbackHandler(
            s.Client, s.Has<IFallbackStore>() ? s.Get<DurableFallbackCache>() : null, s.Meter, s.Logger<FallbackHandler>())),
        new(p => p.DeadLetter is not null, s => new DeadLetterHandler(
            s.Client, s.Classifier, s.Extensions, s.Get<IDeadLetterStore>(), s.Get<IHttpClientFactory>(), s.Get<DeadLetterMeter>(),
            s.Logger<DeadLetterHandler>())),
        new(_ => true, s => new RetryHandler(s.Client, s.Classifier, s.Extensions, s.Limits, s.Meter, s.Logger<RetryHandler>())),
        new(p => p.Hedging is not null, s => new HedgingHandler(s.Client, s.Classifier, s.Meter, s.Logger<HedgingHandler>())),
        new(p => p.CircuitBreaker is not null, s => new CircuitBreakerHandler(
            s.Client, new CircuitEvents(s.Client, s.Meter, s.Logger<CircuitBreakerHandler>()))),
        new(p => p.RateLimiter is not null, s => new RateLimitingHandler(s.Client, s.Observed)),
        new(p => p.Concurrency is not null, s => new ConcurrencyHandler(s.Client)),
        new(p => p.ReadsQuotas, s => new QuotaHandler(s.Client, s.Meter, s.Logger<QuotaHandler>())),
        new(p => p.Chaos is not null, _ => new ChaosHandler()),
    ];
}

/// <summary>Gives named and typed <see cref="HttpClient"/>s the resilience chain.</summary>
public static partial class HttpResilienceServiceCollectionExtensions
{
    extension(IServiceCollection services)
    {
        /// <summary>Adds a named client with the chain, configured from <c>HttpResilience:Clients:&lt;name&gt;</c>.</summary>
        /// <param name="name">The name of the client in <see cref="IHttpClientFactory"/> and in the configuration.</param>
        /// <param name="configure">Runs after the configuration and overrides it. Default: none.</param>
        /// <returns>The ordinary builder. Handlers added to it come after the chain and run once per attempt.</returns>
        public IHttpClientBuilder AddResilientHttpClient(string name, Action<HttpResilienceOptions>? configure = null) =>
            services.AddHttpClient(name).AddResilience(configure);

        /// <summary>Adds a typed client with the chain, named after its type.</summary>
        /// <inheritdoc cref="AddResilientHttpClient(IServiceCollection, string, Action{HttpResilienceOptions})"/>
        public IHttpClientBuilder AddResilientHttpClient<
            [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TClient>(
            Action<HttpResilienceOptions>? configure = null)
            where TClient : class =>
            services.AddHttpClient<TClient>().AddResilience(configure).WithType<TClient>();

        /// <summary>Adds a typed client with the chain, under a name of its own.</summary>
        /// <inheritdoc cref="AddResilientHttpClient(IServiceCollection, string, Action{HttpResilienceOptions})"/>
        public IHttpClientBuilder AddResilientHttpClient<
            [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TClient>(
            string name, Action<HttpResilienceOptions>? configure = null)
            where TClient : class =>
            services.AddHttpClient<TClient>(name).AddResilience(configure).WithType<TClient>();

        /// <summary>
        /// Adds a typed client with the chain: an interface and its implementation. Without a name it is named after the interface.
        /// </summary>
        /// <inheritdoc cref="AddResilientHttpClient(IServiceCollection, string, Action{HttpResilienceOptions})"/>
        public IHttpClientBuilder AddResilientHttpClient<
            TClient, [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TImplementation>(
            string? name = null, Action<HttpResilienceOptions>? configure = null)
            where TClient : class
            where TImplementation : class, TClient =>
            (name is null ? services.AddHttpClient<TClient, TImplementation>() : services.AddHttpClient<TClient, TImplementation>(name))
                .AddResilience(configure).WithType<TClient>();
    }

    extension(IHttpClientBuilder builder)
    {
        /// <summary>Gives an existing client the chain. Calling it twice adds one chain.</summary>
        /// <param name="configure">Runs after the configuration and overrides it. Default: none.</param>
        /// <returns>The same builder. Handlers added after this come after the chain and run once per attempt.</returns>
        /// <exception cref="ArgumentNullException">The builder is null.</exception>
        /// <exception cref="ArgumentException">The client has the name of the one that sends alerts.</exception>
        public IHttpClientBuilder AddResilience(Action<HttpResilienceOptions>? configure = null)
        {
            ArgumentNullException.ThrowIfNull(builder);
            return builder.AddChain(configure, settingsName: null);
        }

        private IHttpClientBuilder AddChain(Action<HttpResilienceOptions>? configure, string? settingsName)
        {
            var services = builder.Services;
            AddSharedParts(services);
            AddFilter(services);
            services.AddSingleton<IConfigureOptions<HttpClientFactoryOptions>>(
                provider => new ConfigureResilientClient(provider, builder.Name));
            if (services.TryAddResilientClient(builder.Name, settingsName))
                services.AddOptionsWithValidateOnStart<HttpResilienceOptions>(builder.Name);

            if (configure is not null)
                Configure(services, builder.Name, configure);
            return builder;
        }

        private IHttpClientBuilder WithType<TClient>()
        {
            builder.Services.AddSingleton(builder.Services.ResilientClients.WithChain.First(c => c.HttpClientName == builder.Name) with
            {
                Type = typeof(TClient),
            });
            return builder;
        }
    }

    // Code for all clients runs before that for one, whichever was registered first.
    private static void Configure(IServiceCollection services, string? clientName, Action<HttpResilienceOptions> configure)
    {
        if (clientName is not null)
        {
            services.Configure(clientName, configure);
            return;
        }

        int next = services.IndexOf(services.First(d => d.ImplementationType == typeof(ConfigureHttpResilienceOptions))) + 1;
        while (services[next].ImplementationInstance is ConfigureNamedOptions<HttpResilienceOptions> { Name: null })
            next++;
        services.Insert(next, ServiceDescriptor.Singleton<IConfigureOptions<HttpResilienceOptions>>(
            new ConfigureNamedOptions<HttpResilienceOptions>(null, configure)));
    }

    // Before the factory's own filters, so that it acts after them and sees the handlers that they add. AddHttpClient brings those back for
    // an application that had removed all filters.
    private static void AddFilter(IServiceCollection services)
    {
        if (!services.Any(d => d.ImplementationType == typeof(ChainCompletionFilter)))
            services.Insert(0, ServiceDescriptor.Singleton<IHttpMessageHandlerBuilderFilter, ChainCompletionFilter>());
    }

    private static void AddSharedParts(IServiceCollection services)
    {
        if (services.Any(d => d.ServiceType == typeof(IResilientClients)))
            return;

        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<IConfigureOptions<HttpResilienceOptions>, ConfigureHttpResilienceOptions>();
        services.AddSingleton<IValidateOptions<HttpResilienceOptions>, ConfigureHttpResilienceOptions>();
        ClientFactory.AddTo(services);
        services.AddSingleton<DeadLetterMeter>();
        services.AddSingleton<ICircuits>(provider =>
            new Circuits(provider, provider.GetRequiredService<ResilienceMeter>()));
        // A factory, because validation on build would fail without a store.
        services.AddSingleton(provider => new DurableFallbackCache(
            provider.GetRequiredService<IFallbackStore>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>()));
        services.AddSingleton(provider => new DeadLetterReplayer(
            provider.GetRequiredService<IDeadLetterStore>(), provider, provider.GetRequiredService<IHttpClientFactory>(),
            provider.GetRequiredService<DeadLetterMeter>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>()));
        services.AddSingleton<IHostedService, ClientStartup>();
        services.AddSingleton<IOptionsFactory<HttpClientFactoryOptions>, HandlerOptionsFactory>();
    }
}
