namespace HttpResilience;

/// <summary>Another run holds the batch: two runs at once would process its records twice.</summary>
/// <param name="name">The name of the batch.</param>
/// <param name="leaseUntil">
/// The end of the other run's lease, unless it is renewed; null when the other run has taken the batch over from this one.
/// </param>
public sealed class BatchInProgressException(string name, DateTimeOffset? leaseUntil)
    : Exception(leaseUntil is null ? $"The lease of the batch '{name}' expired and another run has taken it over; this run was stopped."
        : $"Another run holds the batch '{name}', at least until {leaseUntil:u}. Wait for it, stop it, or give this batch another name.")
{
    /// <summary>The name of the batch.</summary>
    public string Name { get; } = name;
}
