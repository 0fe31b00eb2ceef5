using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>
/// Completes a client with the chain after the application's own configuration of it: the chain gets its place among the handlers of the
/// application, and the timeout that belongs to a Microsoft handler does not hold.
/// </summary>
/// <param name="services">The root container.</param>
internal sealed class CompleteResilientClient(IServiceProvider services) : IPostConfigureOptions<HttpClientFactoryOptions>
{
    public void PostConfigure(string? name, HttpClientFactoryOptions options)
    {
        string clientName = name ?? Options.DefaultName;
        if (!services.GetServices<ResilientClient>().HaveChain(clientName))
            return;

        var clients = options.HttpClientActions;
        // Microsoft's handlers end calls themselves and set an infinite timeout (dotnet/extensions#5363); here the chain ends them.
        foreach (var foreign in clients.Where(PeerHandlers.IsMicrosoftAction).ToArray())
            clients.Remove(foreign);
        clients.Add(client => Observe(clientName, client));

        Action<HttpMessageHandlerBuilder>[] actions = [.. options.HttpMessageHandlerBuilderActions];
        options.HttpMessageHandlerBuilderActions.Clear();
        options.HttpMessageHandlerBuilderActions.Add(builder => Build(builder, clientName, actions));
    }

    private void Build(HttpMessageHandlerBuilder builder, string clientName, Action<HttpMessageHandlerBuilder>[] actions)
    {
        bool replays = ReplayPipeline.TryRename(builder);
        var handlers = builder.AdditionalHandlers;
        HashSet<DelegatingHandler> ofAllClients = [];
        foreach (var action in actions)
        {
            bool isForAllClients = HandlerOptionsFactory.IsForAllClients(action);
            DelegatingHandler[] before = isForAllClients ? [.. handlers] : [];
            action(builder);
            if (isForAllClients)
                ofAllClients.UnionWith(handlers.Except(before));
        }

        if (ChainPlacement.Place(handlers, ofAllClients))
            HandlerNotices.Of(services, clientName).MicrosoftHandlerWasRemoved();
        ChainCompletionFilter.CompleteInstead(builder, services, replays);
    }

    private void Observe(string clientName, HttpClient httpClient)
    {
        if (services.GetService<IHttpClientFactory>() is not SendingClientFactory)
            services.GetRequiredKeyedService<Client>(clientName).Deadline.Observe(httpClient);
    }
}
