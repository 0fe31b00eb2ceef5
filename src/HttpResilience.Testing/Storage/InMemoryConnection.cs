namespace HttpResilience.Testing;

/// <summary>One user of the data, as a process is one user of a database. Once closed, it runs nothing.</summary>
internal sealed class InMemoryConnection(InMemoryDatabase database)
{
    private volatile bool _isClosed;

    internal InMemoryDatabase Database => database;

    internal void Close() => _isClosed = true;

    internal void ThrowIfClosed() => ObjectDisposedException.ThrowIf(_isClosed, typeof(InMemoryStorage));
}
