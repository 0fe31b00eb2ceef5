using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>Adds the chain to a client of the factory.</summary>
/// <param name="services">The root container.</param>
/// <param name="clientName">The client; null for all of them.</param>
internal sealed class ConfigureResilientClient(IServiceProvider services, string? clientName)
    : IConfigureNamedOptions<HttpClientFactoryOptions>
{
    public void Configure(HttpClientFactoryOptions options) => Configure(Options.DefaultName, options);

    public void Configure(string? name, HttpClientFactoryOptions options)
    {
        if (!IsFor(name))
            return;

        // First, so that a setting of the application wins.
        options.HttpClientActions.Insert(0, client => SetDefaults(StateOf(services, name), client));
        options.HttpMessageHandlerBuilderActions.Add(builder =>
        {
            services.GetServices<ResilientClient>().RefuseSharedName(name ?? Options.DefaultName);
            AddChain(StateOf(services, name), builder);
        });
    }

    // A client's own call says where its chain stands.
    private bool IsFor(string? name) => services.GetServices<ResilientClient>() is var clients
        && clients.HaveChain(name ?? Options.DefaultName) && (clientName is null ? !clients.HaveOwnChain(name) : clientName == name);

    private static void AddChain(Client client, HttpMessageHandlerBuilder builder)
    {
        if (builder.AdditionalHandlers.Any(h => h is RequestLoggingHandler))
            return;

        var parts = new StageServices(client, builder.Services);
        foreach (var stage in ResilienceChain.Stages.Where(stage => client.Policy.WithRoutes.Any(stage.IsOn)))
            builder.AdditionalHandlers.Add(stage.Create(parts));
    }

    private static void SetDefaults(Client client, HttpClient httpClient)
    {
        httpClient.BaseAddress ??= client.Policy.BaseAddress;
        httpClient.Timeout = client.Policy.Backstop;
    }

    private static Client StateOf(IServiceProvider services, string? name) =>
        services.GetRequiredKeyedService<Client>(name ?? Options.DefaultName);
}
