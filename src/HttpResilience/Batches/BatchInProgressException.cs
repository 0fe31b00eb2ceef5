namespace HttpResilience;

/// <summary>Another run has the batch: two at once would do its records twice.</summary>
/// <param name="name">The name of the batch.</param>
/// <param name="leaseUntil">Until when it is the other's, unless that renews it; null when the other has taken it over while this run had no word from the store.</param>
public sealed class BatchInProgressException(string name, DateTimeOffset? leaseUntil)
    : Exception(leaseUntil is null ? $"Another run has taken over the batch '{name}', as the lease of this one had ended; it was stopped."
        : $"Another run has the batch '{name}', at least until {leaseUntil:u}. Let it end, or stop it; or give this batch another name.")
{
    /// <summary>The name of the batch.</summary>
    public string Name { get; } = name;
}
