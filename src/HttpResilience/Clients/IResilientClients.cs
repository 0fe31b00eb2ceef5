namespace HttpResilience;

/// <summary>The clients with the chain in this container, for operators and observers. Take it from the container.</summary>
public interface IResilientClients
{
    /// <summary>
    /// The clients that have the chain by name. Null when <c>ConfigureHttpClientDefaults</c> gives it to all clients, whatever their
    /// names.
    /// </summary>
    IReadOnlyList<string>? Names { get; }

    /// <summary>The clients that have been used, or are known by name and the host has started.</summary>
    IReadOnlyList<ObservedClient> List();

    /// <summary>A client by its name; its state is created when it has not been used before.</summary>
    /// <param name="name">The name of the client.</param>
    /// <returns>Null when there is no such client.</returns>
    ObservedClient? Find(string name);
}
