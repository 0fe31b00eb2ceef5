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
        if (clients.Find(client) is null)
        {
            options.HttpClientActions.Add(_ => reporter.Report(client));
            return;
        }

        options.HttpMessageHandlerBuilderActions.Add(builder => clients.SetRemoved(
            client, !Place(builder.AdditionalHandlers, clients.DelegatesOf(client)!)));
        KeepTimeouts(client, options.HttpClientActions);
    }

    // Without the chain, calls may last as long as they could: the timeout of the HttpClient is then not the chain's.
    private void KeepTimeouts(string client, IList<Action<HttpClient>> actions)
    {
        for (int i = 0; i < actions.Count; i++)
        {
            if (HandlerRegistration.IsOfPeer(actions[i]))
                actions[i] = WhenRemoved(client, actions[i]);
        }

        // After the default of the chain, which is first, and before what the application sets.
        int place = actions.Count > 0 && actions[0].Method.DeclaringType?.Assembly == typeof(CallObserver).Assembly ? 1 : 0;
        actions.Insert(place, WhenRemoved(client, static c => c.Timeout = Timeout.InfiniteTimeSpan));
    }

    private Action<HttpClient> WhenRemoved(string client, Action<HttpClient> action) => httpClient =>
    {
        if (clients.IsRemoved(client))
            action(httpClient);
    };

    /// <summary>Marks the place of the chain that has just been added.</summary>
    internal static void Mark(IList<DelegatingHandler> handlers)
    {
        handlers.Add(new TakenPlace());
        handlers.Add(new TakenChain([.. handlers.Where(IsOfChain)]));
    }

    /// <returns>Whether the client has a chain.</returns>
    private static bool Place(IList<DelegatingHandler> handlers, PeerDelegates delegates)
    {
        bool isRemoved = Remove(handlers, h => h is TakenPlace) == 0;
        DelegatingHandler[] taken = [.. handlers.OfType<TakenChain>().SelectMany(t => t.Handlers)];
        Remove(handlers, h => h is TakenChain);
        if (isRemoved)
        {
            Remove(handlers, taken.Contains);
            // The application may have added a chain to the client itself.
            return handlers.Any(IsOfChain);
        }

        var chain = handlers.Where(IsOfChain).ToArray();
        if (chain.Length == 0 || !delegates.Settings.HasDelegates)
            return chain.Length > 0;
        handlers.Insert(handlers.IndexOf(chain[0]), new PeerCallHandler(delegates));
        if (delegates.Settings.Hedging?.OnHedging is not null)
            handlers.Insert(handlers.IndexOf(chain[^1]) + 1, new PeerRequestHandler(delegates));
        return true;
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
