namespace HttpResilience.Testing;

/// <summary>The cached responses of an <see cref="InMemoryStorage"/>.</summary>
internal sealed class InMemoryFallbackStore(InMemoryConnection connection) : InMemoryStore<IFallbackStore>(connection), IFallbackStore
{
    public Task SaveAsync(
        string clientName, IReadOnlyList<FallbackResponse> responses, long maxBytes, CancellationToken cancellationToken) =>
        RunAsync(clientName, () =>
        {
            string client = Connection.Own(clientName);
            foreach (var response in responses.Select(InMemoryResponse.Normalize))
            {
                var key = (client, response.Resource, response.Variant);
                if (!(Database.Responses.GetValueOrDefault(key)?.ReceivedAt > response.ReceivedAt))
                    Database.Responses[key] = response;
            }

            Trim(clientName, maxBytes);
            return true;
        }, cancellationToken);

    public Task<FallbackResponse?> FindAsync(string clientName, string resource, string variant, CancellationToken cancellationToken) =>
        RunAsync(
            clientName,
            () => Connection.Names(clientName, Database.Responses.Keys.Select(k => k.ClientName))
                .Select(client => Database.Responses.GetValueOrDefault((client, resource, variant))).MaxBy(r => r?.ReceivedAt),
            cancellationToken);

    public Task<int> RemoveAsync(string clientName, string resource, string? variant, CancellationToken cancellationToken) =>
        RunAsync(clientName, () =>
            Remove(r => Connection.Has(r.Key.ClientName, clientName) && r.Key.Resource == resource
                && (variant is null || r.Key.Variant == variant)), cancellationToken);

    public Task<int> PurgeAsync(DateTimeOffset now, CancellationToken cancellationToken) =>
        RunAsync(now, () => Remove(r => r.Value.ExpiresAt <= StoredTime.Cut(now)), cancellationToken);

    // The oldest responses are evicted first.
    private void Trim(string client, long maxBytes)
    {
        long total = 0;
        var newestFirst = Database.Responses.Where(r => Connection.Has(r.Key.ClientName, client))
            .OrderByDescending(r => r.Value.ReceivedAt)
            .ThenBy(r => r.Key.Resource, StringComparer.Ordinal).ThenBy(r => r.Key.Variant, StringComparer.Ordinal);
        foreach (var (key, response) in newestFirst.ToList())
        {
            total += response.Size;
            if (total > maxBytes)
                Database.Responses.Remove(key);
        }
    }

    private int Remove(Func<KeyValuePair<(string ClientName, string Resource, string Variant), FallbackResponse>, bool> condition)
    {
        var keys = Database.Responses.Where(condition).Select(r => r.Key).ToList();
        return keys.Count(Database.Responses.Remove);
    }
}
