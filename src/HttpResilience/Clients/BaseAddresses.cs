using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience;

/// <summary>
/// The hosts of the base addresses that the <see cref="HttpClient"/>s of a client have, wherever the application set them: a typed client
/// may do so in its constructor. A letter to one of them may be replayed.
/// </summary>
internal sealed class BaseAddresses
{
    // An application that makes a base address for each call must not fill the memory.
    private const int MaxHosts = 1000;

    private readonly ConcurrentDictionary<HttpAuthority, string> _paths = new();
    private bool _typedClientsAreKnown;

    internal static BaseAddresses Of(Client client) => client.GetOrAdd(static () => new BaseAddresses());

    internal void Add(Uri baseAddress)
    {
        if (_paths.Count < MaxHosts)
            _paths[new(baseAddress)] = baseAddress.AbsolutePath;
    }

    /// <summary>The path of the latest base address at a host; null for a host that is none.</summary>
    internal string? PathAt(HttpAuthority host) => _paths.GetValueOrDefault(host);

    /// <summary>Whether a URI belongs to one of the hosts that clients have used in this process.</summary>
    internal bool Knows(Uri uri) => _paths.ContainsKey(new(uri));

    /// <summary>
    /// Whether a URI belongs to one of the hosts. In a process that has not sent a request with a typed client yet, one is created for its
    /// base address.
    /// </summary>
    internal bool Contains(Uri uri, string clientName, IServiceProvider services)
    {
        var host = new HttpAuthority(uri);
        if (!_paths.ContainsKey(host) && !Volatile.Read(ref _typedClientsAreKnown))
        {
            AddTypedClients(clientName, services);
            Volatile.Write(ref _typedClientsAreKnown, true);
        }

        return _paths.ContainsKey(host);
    }

    private void AddTypedClients(string clientName, IServiceProvider services)
    {
        foreach (var typed in services.GetServices<ResilientClient>())
        {
            if (typed.Type is not { } type || typed.Name != clientName)
                continue;
            foreach (var client in SendingClientFactory.CreatedBy(services, type))
            {
                if (client.BaseAddress is { } baseAddress)
                    Add(baseAddress);
            }
        }
    }
}
