namespace HttpResilience.Storage;

/// <summary>What a worker asks of the store: letters that are due, for a while its own.</summary>
public sealed record DeadLetterClaim
{
    /// <summary>The clients that this process has: it cannot send the letters of others.</summary>
    public required IReadOnlyCollection<string> Clients { get; init; }

    /// <summary>The time now, of the worker's clock.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>When the letters may be claimed by another worker, unless this one has renewed its lease by then.</summary>
    public required DateTimeOffset LeaseUntil { get; init; }

    /// <summary>How many at most. 1 or more.</summary>
    public required int Limit { get; init; }

    /// <summary>What is left alone for now, because a circuit is open, a pause lasts, or enough is on its way there.</summary>
    public IReadOnlyCollection<DeadLetterDestination> Except { get; init; } = [];

    /// <summary>The one place whose letters are asked for; null for those of all. It must be of one of <see cref="Clients"/> and not in <see cref="Except"/>, else there are none.</summary>
    public DeadLetterDestination? Only { get; init; }

    /// <summary>Whether letters that go to a place are asked for, as <see cref="Clients"/>, <see cref="Except"/> and <see cref="Only"/> have it.</summary>
    /// <param name="destination">The place.</param>
    public bool Includes(DeadLetterDestination destination) =>
        (Only is null || Only == destination) && Clients.Contains(destination.ClientName) && !Except.Contains(destination);
}

/// <summary>Where the letters of a client go to.</summary>
/// <param name="ClientName">The client.</param>
/// <param name="Authority">Scheme, host and port, as <see cref="DeadLetter.Authority"/> has it.</param>
public readonly record struct DeadLetterDestination(string ClientName, string Authority);
