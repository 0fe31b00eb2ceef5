using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Benchmarks;

/// <summary>The three clients that are compared, from one factory, with the factory's own logging off in all of them.</summary>
internal sealed class Clients
{
    internal Clients(Func<HttpMessageHandler> inner, PipelineSettings? settings = null, bool byAuthority = false, Action<HttpResilienceOptions>? configure = null)
    {
        settings ??= new();
        var services = new ServiceCollection();
        services.ConfigureHttpClientDefaults(client => client.RemoveAllLoggers().SetHandlerLifetime(Timeout.InfiniteTimeSpan).ConfigurePrimaryHttpMessageHandler(inner));
        services.AddHttpClient("bare");
        services.AddHttpClient("polly").AddHttpMessageHandler(() => byAuthority ? new PipelineByAuthorityHandler(settings) : new OnePipelineHandler(settings));
        services.AddResilientHttpClient("chain", configure);

        var factory = services.BuildServiceProvider().GetRequiredService<IHttpClientFactory>();
        (Bare, Chain, Polly) = (factory.CreateClient("bare"), factory.CreateClient("chain"), factory.CreateClient("polly"));
    }

    internal HttpClient Bare { get; }

    internal HttpClient Chain { get; }

    internal HttpClient Polly { get; }
}
