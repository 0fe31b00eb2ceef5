using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using HttpResilience;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Gives named and typed <see cref="HttpClient"/>s the resilience chain.</summary>
public static partial class HttpResilienceServiceCollectionExtensions
{
    extension(IServiceCollection services)
    {
        /// <summary>Adds a named client with the chain, configured from <c>HttpResilience:Clients:&lt;name&gt;</c>.</summary>
        /// <param name="name">The name of the client in <see cref="IHttpClientFactory"/> and in the configuration.</param>
        /// <param name="configure">Has the last word over the configuration. Default: none.</param>
        /// <returns>The ordinary builder. Handlers added to it stand inside the chain and run once per attempt.</returns>
        public IHttpClientBuilder AddResilientHttpClient(string name, Action<HttpResilienceOptions>? configure = null) =>
            services.AddHttpClient(name).AddResilience(configure);

        /// <summary>Adds a typed client with the chain, named after its type.</summary>
        /// <inheritdoc cref="AddResilientHttpClient(IServiceCollection, string, Action{HttpResilienceOptions})"/>
        public IHttpClientBuilder AddResilientHttpClient<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TClient>(
            Action<HttpResilienceOptions>? configure = null)
            where TClient : class =>
            services.AddHttpClient<TClient>().AddResilience(configure);

        /// <summary>Adds a typed client with the chain, under a name of its own.</summary>
        /// <inheritdoc cref="AddResilientHttpClient(IServiceCollection, string, Action{HttpResilienceOptions})"/>
        public IHttpClientBuilder AddResilientHttpClient<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TClient>(
            string name, Action<HttpResilienceOptions>? configure = null)
            where TClient : class =>
            services.AddHttpClient<TClient>(name).AddResilience(configure);

        /// <summary>Adds a typed client with the chain: an interface and its implementation. Without a name it is named after the interface.</summary>
        /// <inheritdoc cref="AddResilientHttpClient(IServiceCollection, string, Action{HttpResilienceOptions})"/>
        public IHttpClientBuilder AddResilientHttpClient<TClient, [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TImplementation>(
            string? name = null, Action<HttpResilienceOptions>? configure = null)
            where TClient : class
            where TImplementation : class, TClient =>
            (name is null ? services.AddHttpClient<TClient, TImplementation>() : services.AddHttpClient<TClient, TImplementation>(name)).AddResilience(configure);
    }

    extension(IHttpClientBuilder builder)
    {
        /// <summary>Gives an existing client the chain. Doing it twice does not stack two chains.</summary>
        /// <param name="configure">Has the last word over the configuration. Default: none.</param>
        /// <returns>The same builder. Handlers added after this stand inside the chain and run once per attempt.</returns>
        public IHttpClientBuilder AddResilience(Action<HttpResilienceOptions>? configure = null)
        {
            var services = builder.Services;
            AddSharedParts(services);
            services.AddSingleton<IConfigureOptions<HttpClientFactoryOptions>>(provider => new ConfigureResilientClient(provider, builder.Name));
            services.AddSingleton<IPostConfigureOptions<HttpClientFactoryOptions>>(provider => new ConfigureResilientClient(provider, builder.Name));
            if (!services.Any(d => d.ImplementationInstance is ResilientClient client && client.Name == builder.Name))
            {
                services.AddSingleton(new ResilientClient(builder.Name));
                services.AddOptionsWithValidateOnStart<HttpResilienceOptions>(builder.Name);
            }

            if (configure is not null)
                services.Configure(builder.Name, configure);
            return builder;
        }
    }

    private static void AddSharedParts(IServiceCollection services)
    {
        if (services.Any(d => d.ServiceType == typeof(ConfigureHttpResilienceOptions)))
            return;

        services.AddSingleton(provider => new ConfigureHttpResilienceOptions(
            provider.GetServices<ResilientClient>(), provider.GetRequiredService<IServiceProviderIsService>(), provider.GetService<IConfiguration>(), provider.GetService<IHostEnvironment>()));
        services.AddSingleton<IConfigureOptions<HttpResilienceOptions>>(provider => provider.GetRequiredService<ConfigureHttpResilienceOptions>());
        services.AddSingleton<IValidateOptions<HttpResilienceOptions>>(provider => provider.GetRequiredService<ConfigureHttpResilienceOptions>());
        services.AddKeyedSingleton(KeyedService.AnyKey, (provider, name) => ClientState.Create(provider, (string)name!));
        services.AddSingleton<ClientStates>();
        services.AddSingleton<IResilientClients>(provider => provider.GetRequiredService<ClientStates>());
        services.AddSingleton(provider => new CallObservers(
            provider.GetServices<CallObserver>(), provider.GetRequiredService<ILoggerFactory>().CreateLogger(CallObservers.LogCategory)));
        services.AddSingleton(provider => new DeadLetterMeter(provider.GetService<IMeterFactory>(), provider.GetService<TimeProvider>() ?? TimeProvider.System));
        services.AddSingleton(provider => new ResilienceMeter(provider.GetService<IMeterFactory>(), provider.GetRequiredService<ClientStates>()));
        services.AddSingleton(provider => new DeadLetterReplayer(
            provider.GetRequiredService<IDeadLetterStore>(), new DeadLetterSender(provider, provider.GetRequiredService<IHttpClientFactory>()),
            provider.GetRequiredService<DeadLetterMeter>(), provider.GetService<TimeProvider>() ?? TimeProvider.System, provider.GetRequiredService<ILogger<DeadLetterReplay>>()));
        services.AddSingleton(provider => new FallbackArchive(
            provider.GetRequiredService<IFallbackStore>(), provider.GetService<TimeProvider>() ?? TimeProvider.System, provider.GetRequiredService<ILogger<FallbackArchive>>()));
        services.AddSingleton<ICircuits, Circuits>();
        services.AddSingleton<IErrorBudgets>(provider => new ErrorBudgets(
            provider.GetRequiredService<IResilientClients>(), provider.GetRequiredService<ErrorBudgetObserver>(), provider.GetService<IErrorBudgetStore>()));
        services.AddSingleton(provider => new ErrorBudgetObserver(
            new(provider.GetRequiredService<ILogger<ErrorBudget>>()), provider.GetRequiredService<IServiceProviderIsService>().IsService(typeof(IErrorBudgetStore)),
            provider.GetService<IMeterFactory>()));
        services.AddSingleton<CallObserver>(provider => provider.GetRequiredService<ErrorBudgetObserver>());
        services.AddSingleton(provider => new Deployment(new Lazy<string>(() => Deployment.VersionOf(provider.GetRequiredService<AlertSettings>().Policy.DeploymentVersion))));
        services.AddSingleton<IHostedService, ClientStartup>();
        services.AddSingleton<IHostedService>(provider => new ErrorBudgetKeeper(
            provider.GetService<IErrorBudgetStore>(), provider.GetRequiredService<ErrorBudgetObserver>(), provider.GetRequiredService<Deployment>(),
            provider.GetService<TimeProvider>() ?? TimeProvider.System, provider.GetRequiredService<ILogger<ErrorBudgetKeeper>>()));
        AddAlerts(services);
        // First, that is outermost: it looks at what the factory's own filters have put on.
        services.Insert(0, ServiceDescriptor.Singleton<IHttpMessageHandlerBuilderFilter, ForeignHandlerFilter>());
        // And last: it stands behind whatever the others leave.
        services.Insert(0, ServiceDescriptor.Singleton<IHttpMessageHandlerBuilderFilter, WireRequestCaptureFilter>());
        services.AddSingleton<IHttpMessageHandlerBuilderFilter, ResendCountFilter>();
    }
}
