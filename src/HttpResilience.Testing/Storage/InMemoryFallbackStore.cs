namespace HttpResilience.Testing;

/// <summary>The cached responses of an <see cref="InMemoryStorage"/>.</summary>
internal sealed class InMemoryFallbackStore(InMemoryConnection connection) : InMemoryStore<IFallbackStore>(connection), IFallbackStore
{
    public Task SaveAsync(
        string clientName, IReadOnlyList<FallbackResponse> responses, long maxBytes, CancellationToken cancellationToken) =>
        RunAsync(clientName, () =>
        {
            string client = StoredText.Storable(clientName)!;
            foreach (var response in responses.Select(InMemoryResponse.Normalize))
            {
                var key = (client, response.Resource, response.Variant);
                if (!(Database.Responses.GetValueOrDefault(key)?.ReceivedAt > response.ReceivedAt))
                    Database.Responses[key] = response;
            }

            Trim(client, maxBytes);
            return true;
        }, cancellationToken);

    public Task<FallbackResponse?> FindAsync(string clientName, string resource, string variant, CancellationToken cancellationToken) =>
        RunAsync(clientName, () => Database.Responses.GetValueOrDefault((StoredText.Storable(clientName)!, resource, variant)),
            cancellationToken);

    public Task<int> RemoveAsync(string clientName, string resource, string? variant, CancellationToken cancellationToken) =>
        RunAsync(clientName, () =>
        {
            string client = StoredText.Storable(clientName)!;
            return Remove(r => r.Key.ClientName == client && r.Key.Resource == resource && (variant is null || r.Key.Variant == variant));
        }, cancellationToken);

    public Task<int> PurgeAsync(DateTimeOffset now, CancellationToken cancellationToken) =>
        RunAsync(now, () => Remove(r => r.Value.ExpiresAt <= StoredTime.Cut(now)), cancellationToken);

    // The oldest responses are evicted first.
    private void Trim(string client, long maxBytes)
    {
        long total = 0;
        var newestFirst = Database.Responses.Where(r => r.Key.ClientName == client)
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
