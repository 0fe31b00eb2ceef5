using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>Adds the chain to a client of the factory.</summary>
/// <param name="services">The root container.</param>
/// <param name="clientName">The client; null for all of them.</param>
internal sealed class ConfigureResilientClient(IServiceProvider services, string? clientName)
    : IConfigureNamedOptions<HttpClientFactoryOptions>, IPostConfigureOptions<HttpClientFactoryOptions>
{
    public void Configure(HttpClientFactoryOptions options) => Configure(Options.DefaultName, options);

    public void Configure(string? name, HttpClientFactoryOptions options)
    {
        if (!IsFor(name))
            return;

        // First, so that a setting of the application wins.
        options.HttpClientActions.Insert(0, client => SetDefaults(StateOf(services, name), client));
        options.HttpMessageHandlerBuilderActions.Add(builder => AddChain(StateOf(services, name), builder));
    }

    // After the application's own configuration of the client.
    public void PostConfigure(string? name, HttpClientFactoryOptions options)
    {
        if (!IsFor(name))
            return;

        options.HttpClientActions.Add(client => Complete(StateOf(services, name), client));
        options.HttpMessageHandlerBuilderActions.Add(builder => WireHandlerFilter.AddStageInstead(builder, services));
    }

    private bool IsFor(string? name) => (clientName is null || clientName == name)
        && services.GetServices<ResilientClient>() is var clients && !clients.IsRemoved(name)
        && (clientName is not null || !clients.IsRemoved(null));

    private static void AddChain(Client client, HttpMessageHandlerBuilder builder)
    {
        if (builder.AdditionalHandlers.Any(h => h is RequestLoggingHandler))
            return;

        var parts = new StageServices(client, builder.Services);
        foreach (var stage in ResilienceChain.Stages.Where(stage => stage.IsOn(client.Policy)))
            builder.AdditionalHandlers.Add(stage.Create(parts));
    }

    private static void SetDefaults(Client client, HttpClient httpClient)
    {
        httpClient.BaseAddress ??= client.Policy.BaseAddress;
        httpClient.Timeout = client.Policy.Backstop;
    }

    private void Complete(Client client, HttpClient httpClient)
    {
        // Microsoft's handler sets an infinite timeout (dotnet/extensions#5363), which is removed with it.
        if (ForeignHandlerRemoval.Of(client).IsRemoved && httpClient.Timeout == Timeout.InfiniteTimeSpan)
            httpClient.Timeout = client.Policy.Backstop;
        if (services.GetService<IHttpClientFactory>() is not SendingClientFactory)
            client.Deadline.Observe(httpClient);
    }

    private static Client StateOf(IServiceProvider services, string? name) =>
        services.GetRequiredKeyedService<Client>(name ?? Options.DefaultName);
}
