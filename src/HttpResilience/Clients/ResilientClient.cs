namespace HttpResilience;

/// <summary>A client that has a chain.</summary>
/// <param name="Name">Null for all clients, by <c>ConfigureHttpClientDefaults</c>.</param>
internal sealed record ResilientClient(string? Name);
