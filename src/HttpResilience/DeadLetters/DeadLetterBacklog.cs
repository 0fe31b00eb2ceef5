namespace HttpResilience.Storage;

/// <summary>A destination that has letters which are pending or in progress.</summary>
/// <param name="Application">The application whose letters they are; empty when the store has not recorded it.</param>
/// <param name="ClientName">The client.</param>
/// <param name="Authority">Scheme, host and port, as in <see cref="DeadLetter.Authority"/>.</param>
/// <param name="DueAt">The earliest due time of them; for a letter in progress the end of its lease.</param>
public sealed record DeadLetterBacklog(string Application, string ClientName, string Authority, DateTimeOffset DueAt);
