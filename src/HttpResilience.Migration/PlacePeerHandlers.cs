using Microsoft.Extensions.Http;
using Microsoft.Extensions.Options;

namespace HttpResilience.Migration;

/// <summary>Adds the handlers that call the delegates of a standard handler around the chain and inside it, where there are any.</summary>
internal sealed class PlacePeerHandlers(MigratedClients clients, MigrationReporter reporter)
    : IPostConfigureOptions<HttpClientFactoryOptions>
{
    public void PostConfigure(string? name, HttpClientFactoryOptions options)
    {
        string client = name ?? Options.DefaultName;
        if (clients.Find(client) is not null)
            options.HttpMessageHandlerBuilderActions.Add(builder => Place(builder.AdditionalHandlers, clients.DelegatesOf(client)!));
        else
            options.HttpClientActions.Add(_ => reporter.Report(client));
    }

    private static void Place(IList<DelegatingHandler> handlers, PeerDelegates delegates)
    {
        bool isRemoved = Remove(handlers, h => h is TakenPlace) == 0;
        if (isRemoved)
            Remove(handlers, IsOfChain);
        var chain = handlers.Where(IsOfChain).ToArray();
        if (chain.Length == 0 || !delegates.Settings.HasDelegates)
            return;
        handlers.Insert(handlers.IndexOf(chain[0]), new PeerCallHandler(delegates));
        if (delegates.Settings.Hedging?.OnHedging is not null)
            handlers.Insert(handlers.IndexOf(chain[^1]) + 1, new PeerRequestHandler(delegates));
    }

    private static int Remove(IList<DelegatingHandler> handlers, Func<DelegatingHandler, bool> isMeant)
    {
        DelegatingHandler[] removed = [.. handlers.Where(isMeant)];
        foreach (var handler in removed)
            handlers.Remove(handler);
        return removed.Length;
    }

    private static bool IsOfChain(DelegatingHandler handler) => handler.GetType().Assembly == typeof(CallObserver).Assembly;
}
