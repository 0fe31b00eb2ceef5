using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>The row of this process in the store.</summary>
internal sealed class InstanceRow
{
    private readonly IServiceProvider _services;
    private readonly InstanceReports _reports;
    private readonly TimeProvider _time;
    private readonly StorageInstance _self;

    private InstanceRow(IServiceProvider services)
    {
        _services = services;
        _reports = services.GetRequiredService<InstanceReports>();
        _time = services.GetRequiredService<TimeProvider>();
        var replay = ReplayOf(services);
        _self = new()
        {
            Id = Guid.CreateVersion7(),
            Application = services.GetRequiredService<StorageApplication>().Name,
            Name = InstanceName.Current,
            Version = Assembly.GetEntryAssembly()?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion,
            Replays = replay is not null,
            ReplaysFor = [.. replay?.Applications ?? []],
            StartedAt = _time.GetUtcNow(),
            SeenAt = default,
        };
    }

    /// <summary>Whether this process replays dead letters.</summary>
    internal bool Replays => _self.Replays;

    internal static InstanceRow Of(IServiceProvider services) => new(services);

    internal static bool ReplaysIn(IServiceProvider provider) =>
        provider.GetRequiredService<IServiceProviderIsService>().IsService(typeof(DeadLetterReplayWorker));

    internal static DeadLetterReplayOptions? ReplayOf(IServiceProvider provider) =>
        ReplaysIn(provider) ? provider.GetRequiredService<IOptions<DeadLetterReplayOptions>>().Value : null;

    /// <summary>As it is now.</summary>
    internal StorageInstance Make() => _self with
    {
        Clients = [.. ClientsOf(_services)],
        PausableClients = PausableOf(_services)?.ToList(),
        SeenAt = _time.GetUtcNow(),
        Report = _reports.Make(),
    };

    // A process without clients may have storage, for the review.
    private static IEnumerable<string> ClientsOf(IServiceProvider provider) =>
        provider.GetService<IResilientClients>() is ResilientClients clients
            ? clients.Where(c => c.Policy.ClientDeadLetter is not null).Select(c => c.Name).Distinct() : [];

    private static IEnumerable<string>? PausableOf(IServiceProvider provider) =>
        OperationsPackage.IsIn(provider.GetRequiredService<IServiceProviderIsService>())
            && provider.GetService<IResilientClients>() is { } clients
            ? clients.List().Select(c => c.Name).Concat(clients.Names ?? []).Where(OperationsPackage.IsOfApplication).Distinct() : null;
}
