namespace HttpResilience.Operations;

/// <summary>
/// The incidents that alerts are sent for. With <c>AddHttpResilienceStorage</c> those of all processes of the
/// application, where ended ones are kept for a day after their last change; without it those of this process, for as long. Registered in
/// the container.
/// </summary>
public interface IIncidents
{
    /// <summary>The incidents: the open ones first, critical before others, then the ended ones, the last ended first.</summary>
    /// <exception cref="HttpResilienceStorageException">The store fails.</exception>
    Task<IncidentList> ListAsync(CancellationToken cancellationToken = default);
}

/// <summary>Incidents.</summary>
/// <param name="Incidents">Those that could be read.</param>
/// <param name="Unreadable">The number of stored ones that could not: of a newer version, or edited by hand.</param>
public sealed record IncidentList(IReadOnlyList<IncidentStatus> Incidents, int Unreadable);

/// <summary>An incident.</summary>
/// <param name="Alert">The last alert about it: its id, subject, numbers and begin are those of the incident.</param>
/// <param name="IsOpen">It still holds.</param>
/// <param name="SentAt">When that alert was sent; null while it is not.</param>
/// <param name="SeenBy">The number of processes that observe it.</param>
public sealed record IncidentStatus(Alert Alert, bool IsOpen, DateTimeOffset? SentAt, int SeenBy);
