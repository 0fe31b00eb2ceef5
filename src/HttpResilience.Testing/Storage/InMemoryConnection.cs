namespace HttpResilience.Testing;

/// <summary>One user of the data, like a process that uses a database. Once closed, it runs no operation.</summary>
/// <param name="database">The data.</param>
/// <param name="application">The application of the process; null for a test, which sees the rows of all.</param>
internal sealed class InMemoryConnection(InMemoryDatabase database, StoredApplication? application)
{
    private volatile bool _isClosed;

    internal InMemoryDatabase Database => database;

    internal StoredApplication? Application => application;

    /// <summary>The name of a client, batch or version in the rows that this user writes.</summary>
    internal string Own(string name) => application?.Own(name) ?? StoredApplication.OfNone(name);

    /// <summary>Whether a row is one of this user's with a name: of its application or of none.</summary>
    internal bool Has(string stored, string name) => NameIn(stored) == StoredApplication.OfNone(name);

    /// <summary>The names in the rows that this user may use: of its application, and of none. A test uses the rows of all.</summary>
    internal IEnumerable<string> Names(string name, IEnumerable<string> stored) => application is not null
        ? new[] { Own(name), StoredApplication.OfNone(name) }.Distinct()
        : stored.Where(s => Has(s, name)).Prepend(Own(name)).ToHashSet();

    internal string? NameIn(string stored) => application is null ? StoredApplication.NameInAny(stored) : application.NameIn(stored);

    internal void Close() => _isClosed = true;

    internal void ThrowIfClosed() => ObjectDisposedException.ThrowIf(_isClosed, typeof(InMemoryStorage));
}
