namespace HttpResilience;

/// <summary>A client that has a chain.</summary>
/// <param name="Name">Null for all clients, by <c>ConfigureHttpClientDefaults</c>.</param>
/// <param name="Type">Its type when it is a typed client that was registered with its chain.</param>
internal sealed record ResilientClient(string? Name, Type? Type = null);
