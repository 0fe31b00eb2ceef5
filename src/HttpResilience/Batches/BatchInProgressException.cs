namespace HttpResilience;

/// <summary>Another run has the batch: two at once would do its records twice.</summary>
/// <param name="name">The name of the batch.</param>
/// <param name="leaseUntil">Until when it is the other's, unless that renews it.</param>
public sealed class BatchInProgressException(string name, DateTimeOffset leaseUntil)
    : Exception($"Another run has the batch '{name}', at least until {leaseUntil:u}. Let it end, or stop it; or give this batch another name.")
{
    /// <summary>The name of the batch.</summary>
    public string Name { get; } = name;
}
