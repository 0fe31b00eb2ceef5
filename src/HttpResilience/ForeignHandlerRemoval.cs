namespace HttpResilience;

/// <summary>Remembers that a Microsoft <c>ResilienceHandler</c> was removed from a client.</summary>
internal sealed class ForeignHandlerRemoval
{
    private bool _isRemoved;

    internal bool IsRemoved => Volatile.Read(ref _isRemoved);

    internal static ForeignHandlerRemoval Of(Client client) => client.GetOrAdd(static () => new ForeignHandlerRemoval());

    /// <returns>True the first time.</returns>
    internal bool Mark() => !Interlocked.Exchange(ref _isRemoved, true);
}
