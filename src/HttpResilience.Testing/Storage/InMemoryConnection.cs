namespace HttpResilience.Testing;

/// <summary>One user of the data, like a process that uses a database. Once closed, it runs no operation.</summary>
internal sealed class InMemoryConnection(InMemoryDatabase database)
{
    private volatile bool _isClosed;

    internal InMemoryDatabase Database => database;

    internal void Close() => _isClosed = true;

    internal void ThrowIfClosed() => ObjectDisposedException.ThrowIf(_isClosed, typeof(InMemoryStorage));
}
