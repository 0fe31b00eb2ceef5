using System.Collections;
using System.Collections.Concurrent;

namespace HttpResilience;

/// <summary>The clients whose state has been made so far.</summary>
internal sealed class ClientStates : IEnumerable<ClientState>
{
    private readonly ConcurrentBag<ClientState> _clients = [];

    private TaskCompletionSource _added = NewSource();

    /// <summary>Completes when one more has been added.</summary>
    internal Task Added => Volatile.Read(ref _added).Task;

    /// <summary>Without the client that alerts are sent with.</summary>
    internal IEnumerable<ClientState> OfApplication => _clients.Where(c => c.Name != AlertClient.Name);

    internal void Add(ClientState client)
    {
        _clients.Add(client);
        Interlocked.Exchange(ref _added, NewSource()).SetResult();
    }

    public IEnumerator<ClientState> GetEnumerator() => _clients.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
