using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>
/// The platform's <see cref="IHttpClientFactory"/>, which also gives each <see cref="HttpClient"/> with a chain a
/// <see cref="SendingClientHandler"/>.
/// </summary>
internal sealed class SendingClientFactory(
    IHttpClientFactory platform, IHttpMessageHandlerFactory handlers, IOptionsMonitor<HttpClientFactoryOptions> options, TimeProvider time)
    : IHttpClientFactory
{
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
                services.GetRequiredService<IOptionsMonitor<HttpClientFactoryOptions>>(), services.GetRequiredService<TimeProvider>())
            : factory;

    public HttpClient CreateClient(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var chain = handlers.CreateHandler(name);
        if (!HasChain(chain))
            return platform.CreateClient(name);

        var handler = new SendingClientHandler(chain, time);
        var client = new HttpClient(handler, disposeHandler: false);
        handler.Tell(client);
        foreach (var configure in options.Get(name).HttpClientActions)
            configure(client);
        return client;
    }

    private static bool HasChain(HttpMessageHandler? handler)
    {
        for (; handler is DelegatingHandler outer; handler = outer.InnerHandler)
        {
            if (outer is RequestLoggingHandler)
                return true;
        }

        return false;
    }
}
