using System.Collections;
using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience;

/// <summary>The clients that were made so far.</summary>
/// <param name="services">The root container.</param>
internal sealed class ClientStates(IServiceProvider services) : IResilientClients, IEnumerable<ClientState>
{
    private readonly ConcurrentBag<ClientState> _clients = [];

    public IReadOnlyList<string>? Names => Registered.Any(c => c.Name is null) ? null : [.. Registered.Select(c => c.Name!)];

    public IReadOnlyList<ObservedClient> List() => [.. _clients];

    public ObservedClient? Find(string name) =>
        Registered.Any(c => c.Name == name) || _clients.Any(c => c.Name == name) ? services.GetRequiredKeyedService<ClientState>(name)
            : null;

    private IEnumerable<ResilientClient> Registered => services.GetServices<ResilientClient>();

    internal void Add(ClientState client) => _clients.Add(client);

    public IEnumerator<ClientState> GetEnumerator() => _clients.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
