using System.Collections;
using System.Collections.Concurrent;

namespace HttpResilience;

/// <summary>The clients whose state has been made so far.</summary>
internal sealed class ClientStates : IEnumerable<ClientState>
{
    private readonly ConcurrentBag<ClientState> _clients = [];

    internal void Add(ClientState client) => _clients.Add(client);

    public IEnumerator<ClientState> GetEnumerator() => _clients.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
