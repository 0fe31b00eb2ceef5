using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience;

/// <summary>The circuits of all clients, for operators.</summary>
internal sealed class Circuits(IServiceProvider services, ResilienceMeter meter) : ICircuits
{
    private readonly ResilientClients _clients = services.ResilientClients;

    public IReadOnlyList<CircuitInfo> List(string? clientName = null) =>
    [
        .. _clients.Where(c => clientName is null || c.Name == clientName)
            .SelectMany(client => client.Hosts.All.Select(host => Describe(client, host))),
    ];

    public void Isolate(string clientName, Uri authority, string? tenant = null)
    {
        var (client, host) = Find(clientName, authority, tenant);
        Moved(client, host, host.Circuit.Isolate(client.Time.GetTimestamp()));
    }

    public void Close(string clientName, Uri authority, string? tenant = null)
    {
        var (client, host) = Find(clientName, authority, tenant);
        Moved(client, host, host.Circuit.Close(client.Time.GetTimestamp()));
    }

    private void Moved(Client client, HostState host, CircuitTransition? transition)
    {
        host.AdvanceQueue();
        new CircuitEvents(client, meter, services.LoggerFor<CircuitBreakerHandler>(client.Name)).Moved(host, transition);
    }

    private static CircuitInfo Describe(Client client, HostState host)
    {
        var state = host.Circuit.State;
        TimeSpan left = client.Time.GetElapsedTime(client.Time.GetTimestamp(), host.Circuit.OpenUntil);
        TimeSpan? openFor = state is CircuitState.Open && left > TimeSpan.Zero ? left : null;
        return new(client.Name, host.Key.Authority.ToString(), host.Key.Tenant, state, openFor);
    }

    /// <summary>The circuits of a client, for other processes.</summary>
    internal static IEnumerable<ReportedCircuit> Report(Client client) => client.Hosts.All.Select(host =>
    {
        var (circuit, time) = (Describe(client, host), client.Time);
        return new ReportedCircuit
        {
            ClientName = circuit.ClientName,
            Authority = circuit.Authority,
            Tenant = circuit.Tenant,
            State = circuit.State,
            Since = circuit.State is not CircuitState.Closed && host.Circuit.Outage is { } outage
                ? time.GetUtcNow() - time.GetElapsedTime(outage.StartedAt) : null,
            OpenFor = circuit.OpenFor,
        };
    });

    private (Client Client, HostState Host) Find(string clientName, Uri authority, string? tenant)
    {
        if (HttpAuthority.Find(authority) is not { } asked)
            throw new ArgumentException($"'{authority}' is not an absolute http or https URI of a host.", nameof(authority));
        if (!services.GetServices<ResilientClient>().WithChain.Any(c => c.Name == clientName) && _clients.All(c => c.Name != clientName))
            throw new ArgumentException($"There is no resilient client '{clientName}'.", nameof(clientName));

        var client = services.GetRequiredKeyedService<Client>(clientName);
        var key = new HostKey(asked, tenant);
        return (client, client.Hosts.GetOrAdd(key, client.Policy.MaxHosts, client.Time.GetTimestamp()));
    }
}
