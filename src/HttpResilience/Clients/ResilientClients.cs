using System.Collections;
using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience;

/// <summary>The clients that were made so far.</summary>
/// <param name="services">The root container.</param>
internal sealed class ResilientClients(IServiceProvider services) : IResilientClients, IEnumerable<Client>
{
    private readonly ConcurrentBag<Client> _clients = [];

    public IReadOnlyList<string>? Names => Registered.Any(c => c.Name is null) ? null : [.. Registered.Select(c => c.Name!).Distinct()];

    public IReadOnlyList<ObservedClient> List() => [.. _clients];

    public ObservedClient? Find(string name) =>
        Registered.Any(c => c.Name == name) || _clients.Any(c => c.Name == name) ? services.GetRequiredKeyedService<Client>(name)
            : null;

    private IEnumerable<ResilientClient> Registered => services.GetServices<ResilientClient>();

    internal void Add(Client client) => _clients.Add(client);

    public IEnumerator<Client> GetEnumerator() => _clients.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
