using System.Collections;
using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>The clients that were made so far, and their options in force.</summary>
/// <param name="services">The root container.</param>
internal sealed partial class ResilientClients(IServiceProvider services)
    : IResilientClients, IOptionsMonitor<HttpResilienceOptions>, IEnumerable<Client>
{
    private readonly ConcurrentBag<Client> _clients = [];

    private event Action<HttpResilienceOptions, string?>? Changed;

    public IReadOnlyList<string>? Names => Registered.Any(c => c.Name is null) ? null : [.. Registered.Select(c => c.Name!).Distinct()];

    public HttpResilienceOptions CurrentValue => Get(Options.DefaultName);

    public IReadOnlyList<ObservedClient> List() => [.. _clients];

    public ObservedClient? Find(string name) => Known(name);

    /// <summary>
    /// The options in force of a client, by its name here or in the factory: a reload that was rejected has not changed them.
    /// </summary>
    public HttpResilienceOptions Get(string? name) => Known(Registered.SettingsNameOf(name ?? Options.DefaultName))?.Options
        ?? services.GetRequiredService<IOptionsFactory<HttpResilienceOptions>>().Create(name ?? Options.DefaultName);

    public IDisposable? OnChange(Action<HttpResilienceOptions, string?> listener)
    {
        Changed += listener;
        return new Subscription(() => Changed -= listener);
    }

    private IEnumerable<ResilientClient> Registered => services.GetServices<ResilientClient>().WithChain;

    internal void Add(Client client)
    {
        _clients.Add(client);
        client.PolicyChanged += () => Notify(client);
    }

    public IEnumerator<Client> GetEnumerator() => _clients.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    // A listener is code of the application: its exception does not stop the reload.
    private void Notify(Client client)
    {
        foreach (var listener in Delegate.EnumerateInvocationList(Changed))
        {
            try
            {
                listener(client.Options, client.Name);
            }
            catch (Exception e)
            {
                ListenerFailed(services.LoggerFor(client.Name, Client.LogCategory), e.Loggable, client.Name);
            }
        }
    }

    private Client? Known(string name) =>
        Registered.Any(c => c.Name == name) || _clients.Any(c => c.Name == name) ? services.GetRequiredKeyedService<Client>(name) : null;

    [LoggerMessage(418, LogLevel.Error, "{ClientName}: a listener of IOptionsMonitor failed; the changed configuration is in effect")]
    private static partial void ListenerFailed(ILogger logger, Exception exception, string clientName);

    private sealed class Subscription(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}

internal static class ResilientClientsOfContainer
{
    extension(IServiceProvider services)
    {
        internal ResilientClients ResilientClients => (ResilientClients)services.GetRequiredService<IResilientClients>();
    }
}
