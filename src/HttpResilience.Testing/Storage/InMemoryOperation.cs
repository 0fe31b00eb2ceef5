namespace HttpResilience.Testing;

/// <summary>An operation of a store, for <see cref="InMemoryStorage.Intercept"/>.</summary>
public sealed class InMemoryOperation
{
    internal InMemoryOperation(Type store, string method, object? argument, CancellationToken cancellationToken) =>
        (Store, Method, Argument, CancellationToken) = (store, method, argument, cancellationToken);

    /// <summary>The interface of the store, such as <see cref="IDeadLetterStore"/>.</summary>
    public Type Store { get; }

    /// <summary>The name of the method of the interface, such as <see cref="IDeadLetterStore.AddAsync"/>.</summary>
    public string Method { get; }

    /// <summary>
    /// The first argument of the method, such as the <see cref="DeadLetter"/>; null when its only argument is the cancellation token.
    /// </summary>
    public object? Argument { get; }

    /// <summary>The cancellation token that the caller passed.</summary>
    public CancellationToken CancellationToken { get; }

    /// <inheritdoc/>
    public override string ToString() => $"{Store.Name}.{Method}";
}
