namespace HttpResilience;

/// <summary>
/// The place of the chain among the handlers of the application: outside those of all clients (<c>ConfigureHttpClientDefaults</c>), so that
/// each attempt has its own service discovery and token; inside those that the application put on this client before the chain.
/// </summary>
internal static class ChainPlacement
{
    /// <param name="handlers">The handlers of a client, outermost first.</param>
    /// <param name="ofAllClients">Those of them that all clients have.</param>
    /// <returns>Whether the chain replaced a handler of Microsoft.Extensions.Http.Resilience that all clients have.</returns>
    internal static bool Place(IList<DelegatingHandler> handlers, IReadOnlySet<DelegatingHandler> ofAllClients)
    {
        if (handlers.LastOrDefault(h => h is ChainHandler) is not { } innermostStage)
            return false;

        DelegatingHandler[] replaced = [.. handlers.Where(h => ofAllClients.Contains(h) && PeerHandlers.IsMicrosoftResilience(h))];
        Remove(handlers, replaced);
        DelegatingHandler[] outside = [.. handlers.TakeWhile(h => h is not ChainHandler).Where(ofAllClients.Contains)];
        Remove(handlers, outside);
        int inside = handlers.IndexOf(innermostStage) + 1;
        foreach (var handler in outside)
            handlers.Insert(inside++, handler);
        return replaced.Length > 0;
    }

    private static void Remove(IList<DelegatingHandler> handlers, DelegatingHandler[] removed)
    {
        foreach (var handler in removed)
            handlers.Remove(handler);
    }
}
