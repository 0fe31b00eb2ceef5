using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>
/// The platform's <see cref="IHttpClientFactory"/>, which also gives each <see cref="HttpClient"/> with a chain a
/// <see cref="SendingClientHandler"/>.
/// </summary>
internal sealed class SendingClientFactory(
    IHttpClientFactory platform, IHttpMessageHandlerFactory handlers, IOptionsMonitor<HttpClientFactoryOptions> options,
    IServiceProvider services)
    : IHttpClientFactory
{
    [ThreadStatic]
    private static List<HttpClient>? _created;

    /// <summary>Takes the place of the platform's factory; a factory of the application's own stays.</summary>
    internal static void AddTo(IServiceCollection services)
    {
        if (!services.Any(IsFactory))
            services.AddHttpClient();
        var last = services.Last(IsFactory);
        if (last is { ImplementationFactory: { } create, Lifetime: ServiceLifetime.Singleton })
        {
            services[services.IndexOf(last)] = ServiceDescriptor.Singleton(
                provider => Wrap((IHttpClientFactory)create(provider), provider));
        }
    }

    private static bool IsFactory(ServiceDescriptor descriptor) =>
        !descriptor.IsKeyedService && descriptor.ServiceType == typeof(IHttpClientFactory);

    private static IHttpClientFactory Wrap(IHttpClientFactory factory, IServiceProvider services) =>
        factory.GetType().Assembly == typeof(HttpClientFactoryOptions).Assembly
            ? new SendingClientFactory(
                factory, services.GetRequiredService<IHttpMessageHandlerFactory>(),
                services.GetRequiredService<IOptionsMonitor<HttpClientFactoryOptions>>(), services)
            : factory;

    public HttpClient CreateClient(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var chain = handlers.CreateHandler(name);
        if (!HasChain(chain))
            return platform.CreateClient(name);

        return Create(name, chain);
    }

    /// <summary>Creates a client with a second pipeline of the same configuration.</summary>
    /// <param name="pipeline">The name of the pipeline.</param>
    internal HttpClient CreateClient(string name, string pipeline)
    {
        // First that of calls, so that a primary handler which both share is left as it is.
        handlers.CreateHandler(name);
        // The options of the client once more, made from its whole configuration.
        services.GetRequiredService<IOptionsMonitorCache<HttpClientFactoryOptions>>().GetOrAdd(
            pipeline, () => services.GetRequiredService<IOptionsFactory<HttpClientFactoryOptions>>().Create(name));
        return Create(name, handlers.CreateHandler(pipeline));
    }

    private HttpClient Create(string name, HttpMessageHandler chain)
    {
        var handler = new SendingClientHandler(chain, services.GetRequiredKeyedService<Client>(name));
        var client = new HttpClient(handler, disposeHandler: false);
        handler.SetClient(client);
        foreach (var configure in options.Get(name).HttpClientActions)
            configure(client);
        _created?.Add(client);
        return client;
    }

    /// <summary>The clients that the constructor of a typed client gets.</summary>
    internal static IReadOnlyList<HttpClient> CreatedBy(IServiceProvider services, Type typedClient)
    {
        List<HttpClient> created = [];
        _created = created;
        try
        {
            using var scope = services.CreateScope();
            scope.ServiceProvider.GetService(typedClient);
        }
        catch (Exception)
        {
            // The application gets the exception of its constructor when it creates the client itself.
            created.Clear();
        }
        finally
        {
            _created = null;
        }

        return created;
    }

    private static bool HasChain(HttpMessageHandler? handler)
    {
        for (; handler is DelegatingHandler outer; handler = outer.InnerHandler)
        {
            if (outer is ChainHandler)
                return true;
        }

        return false;
    }
}
