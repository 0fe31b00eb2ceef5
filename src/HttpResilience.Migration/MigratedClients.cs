using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Migration;

/// <summary>The clients whose chain replaces a standard handler, with what they have taken over.</summary>
/// <param name="services">The root container.</param>
internal sealed class MigratedClients(IServiceProvider services, IEnumerable<MigratedClient> clients) : IDisposable
{
    private readonly MigratedClient[] _clients = [.. clients];
    private readonly ConcurrentDictionary<string, PeerDelegates?> _delegates = [];
    private readonly ConcurrentDictionary<string, bool> _removed = [];
    private readonly ConcurrentBag<IDisposable> _watches = [];

    internal IEnumerable<MigratedClient> Reported => _clients.Where(c => c.IsReported);

    /// <summary>The handler of all clients is replaced.</summary>
    internal bool HaveChainForAll => _clients.Any(c => c is { Name: null, IsReported: false });

    /// <summary>The registration of a client; null when its chain replaces nothing.</summary>
    internal MigratedClient? Find(string name) => MigratedClient.Find(_clients, name);

    /// <summary>The delegates of a client; null when its chain replaces nothing.</summary>
    internal PeerDelegates? DelegatesOf(string name) => _delegates.GetOrAdd(name, static (name, all) => all.Create(name), this);

    /// <summary>Whether the application has removed the chain of a client, whose handlers are built.</summary>
    internal bool IsRemoved(string name) => _removed.GetValueOrDefault(name);

    internal void SetRemoved(string name, bool isRemoved) => _removed[name] = isRemoved;

    public void Dispose()
    {
        foreach (var watch in _watches)
            watch.Dispose();
    }

    private PeerDelegates? Create(string name)
    {
        if (Find(name) is not { } client)
            return null;
        var delegates = new PeerDelegates(
            name, PeerOptions.Read(services, client),
            services.GetRequiredService<ILoggerFactory>().CreateLogger(PeerDelegates.LogCategory));
        _watches.Add(PeerOptions.OnChange(services, client, () => delegates.Settings = PeerOptions.Read(services, client)));
        return delegates;
    }
}
