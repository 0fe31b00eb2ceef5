using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Benchmarks;

/// <summary>The three clients that are compared, from one factory and without the factory's logging.</summary>
internal sealed class Clients
{
    /// <param name="completeChain">Further configuration of the client with the chain.</param>
    /// <param name="besidePolly">Further configuration of Polly's client, inside its pipeline.</param>
    internal Clients(
        Func<HttpMessageHandler> inner, PipelineSettings? settings = null, bool byAuthority = false,
        Action<HttpResilienceOptions>? configure = null,
        Action<IHttpClientBuilder>? completeChain = null, Func<DelegatingHandler>? besidePolly = null)
    {
        settings ??= new();
        var services = new ServiceCollection();
        services.ConfigureHttpClientDefaults(
            client => client.RemoveAllLoggers().SetHandlerLifetime(Timeout.InfiniteTimeSpan).ConfigurePrimaryHttpMessageHandler(inner));
        services.AddHttpClient("bare");
        var polly = services.AddHttpClient("polly").AddHttpMessageHandler(
            () => byAuthority ? new PipelineByAuthorityHandler(settings) : new OnePipelineHandler(settings));
        if (besidePolly is not null)
            polly.AddHttpMessageHandler(besidePolly);
        var chain = services.AddResilientHttpClient("chain", configure);
        completeChain?.Invoke(chain);

        var factory = services.BuildServiceProvider().GetRequiredService<IHttpClientFactory>();
        (Bare, Chain, Polly) = (factory.CreateClient("bare"), factory.CreateClient("chain"), factory.CreateClient("polly"));
    }

    internal HttpClient Bare { get; }

    internal HttpClient Chain { get; }

    internal HttpClient Polly { get; }
}
