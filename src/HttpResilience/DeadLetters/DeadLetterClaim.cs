namespace HttpResilience.Storage;

/// <summary>A worker's request to the store for due letters, leased to it for a while.</summary>
public sealed record DeadLetterClaim
{
    /// <summary>
    /// Applications whose letters are claimed besides those of the store's own and those of none, from before there were applications.
    /// Default: none.
    /// </summary>
    public IReadOnlyCollection<string> Applications { get; init; } = [];

    /// <summary>The clients of this process; it cannot send the letters of others.</summary>
    public required IReadOnlyCollection<string> Clients { get; init; }

    /// <summary>The current time of the worker's clock.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>The end of the lease: another worker may claim the letters then, unless this one has renewed it.</summary>
    public required DateTimeOffset LeaseUntil { get; init; }

    /// <summary>The maximum number of letters. 1 or more.</summary>
    public required int Limit { get; init; }

    /// <summary>
    /// The maximum of the bytes of all letters (<see cref="DeadLetter.Size"/>); the first is claimed whatever its size. Default: no limit.
    /// </summary>
    public long MaxBytes { get; init; } = long.MaxValue;

    /// <summary>Destinations that are excluded: their circuit is open, they are paused, or enough letters to them are in flight.</summary>
    public IReadOnlyCollection<DeadLetterDestination> Except { get; init; } = [];

    /// <summary>
    /// The only destination whose letters are claimed; null for all. It must belong to one of <see cref="Clients"/> and not be in
    /// <see cref="Except"/>, otherwise nothing is claimed.
    /// </summary>
    public DeadLetterDestination? Only { get; init; }

    /// <summary>Whether the claim includes a destination, by <see cref="Clients"/>, <see cref="Except"/> and <see cref="Only"/>.</summary>
    /// <param name="destination">The destination.</param>
    public bool Includes(DeadLetterDestination destination) =>
        (Only is null || Only == destination) && Clients.Contains(destination.ClientName) && !Except.Contains(destination);
}

/// <summary>A destination of the letters of a client.</summary>
/// <param name="ClientName">The client.</param>
/// <param name="Authority">Scheme, host and port, as in <see cref="DeadLetter.Authority"/>.</param>
public readonly record struct DeadLetterDestination(string ClientName, string Authority);
