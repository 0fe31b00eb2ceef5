using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>An action of the factory's options that adds handlers to a client.</summary>
/// <param name="Run">The action.</param>
/// <param name="IsForAllClients">It was added for all clients, as by <c>ConfigureHttpClientDefaults</c>.</param>
internal sealed record HandlerAction(Action<HttpMessageHandlerBuilder> Run, bool IsForAllClients)
{
    // A name that no client has gets the configuration of all clients only.
    private const string NoClient = "HttpResilience: the name of no client";

    /// <summary>Runs the configuration of a client once more, beside that of no client, which shows where each action came from.</summary>
    internal static IReadOnlyList<HandlerAction> Of(
        IServiceProvider services, string clientName, IEnumerable<Action<HttpMessageHandlerBuilder>> actions)
    {
        List<bool> areForAllClients = [];
        var (own, all) = (new HttpClientFactoryOptions(), new HttpClientFactoryOptions());
        foreach (var configure in services.GetServices<IConfigureOptions<HttpClientFactoryOptions>>())
        {
            int added = AddedBy(configure, clientName, own);
            bool isForAllClients = AddedBy(configure, NoClient, all) != 0;
            if (added < 0)
                areForAllClients.RemoveRange(areForAllClients.Count + added, -added);
            else
                areForAllClients.AddRange(Enumerable.Repeat(isForAllClients, added));
        }

        return [.. actions.Select((action, i) => new HandlerAction(action, i < areForAllClients.Count && areForAllClients[i]))];
    }

    private static int AddedBy(IConfigureOptions<HttpClientFactoryOptions> configure, string name, HttpClientFactoryOptions options)
    {
        int before = options.HttpMessageHandlerBuilderActions.Count;
        if (configure is IConfigureNamedOptions<HttpClientFactoryOptions> named)
            named.Configure(name, options);
        else if (name == Options.DefaultName)
            configure.Configure(options);
        return options.HttpMessageHandlerBuilderActions.Count - before;
    }
}
