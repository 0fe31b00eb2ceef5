using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Operations;

/// <summary>The incidents in the store, and those that this process sends alerts about by itself.</summary>
/// <param name="store">Null without durable storage.</param>
internal sealed class Incidents(IIncidentStore? store, LocalAlerts local) : IIncidents
{
    internal static void AddTo(IServiceCollection services)
    {
        services.AddSingleton(provider => new LocalAlerts(provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IIncidents>(provider => new Incidents(
            provider.GetService<IIncidentStore>(), provider.GetRequiredService<LocalAlerts>()));
    }

    public async Task<IncidentList> ListAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<StorageIncident> rows = store is null ? [] : await store.ListAsync(cancellationToken).ConfigureAwait(false);
        List<IncidentStatus> incidents =
            [.. local.All.Select(a => new IncidentStatus(a, a.Phase is not AlertPhase.Ended, a.At, SeenBy: 1))];
        int unreadable = 0;
        foreach (var row in rows)
        {
            if (SharedIncident.Read(row.Alert) is { } alert)
                incidents.Add(new(alert, alert.Phase is not AlertPhase.Ended, row.SentAt, row.SeenBy.Count));
            else
                unreadable++;
        }

        return new(
            [
                .. incidents.OrderByDescending(i => i.IsOpen).ThenByDescending(i => i.IsOpen ? (int)i.Alert.Severity : 0)
                    .ThenByDescending(i => i.IsOpen ? i.Alert.StartedAt : i.Alert.At).ThenBy(i => i.Alert.Id),
            ], unreadable);
    }
}
