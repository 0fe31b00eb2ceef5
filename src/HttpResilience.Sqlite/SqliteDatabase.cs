using Microsoft.Data.Sqlite;

namespace HttpResilience;

/// <summary>A database file: opens it, and describes what is wrong with it.</summary>
internal sealed class SqliteDatabase(string path, string connectionString, TimeSpan timeout, SqliteSchema schema)
{
    /// <summary>The error codes of a statement that a row makes fail.</summary>
    internal const int Constraint = 19, Mismatch = 20;

    private const int DefaultTimeout = 8;

    private const long MinFreeSpace = 256 * 1024;

    private static readonly Lock Creating = new();

    private volatile bool _wasOpened;
    private bool _wasDeleted;

    internal string Path => path;

    /// <summary>How long a lock of another process is waited for.</summary>
    internal TimeSpan Timeout => timeout;

    internal static SqliteDatabase From(string connectionString, SqliteSchema schema)
    {
        SqliteConnectionStringBuilder given;
        try
        {
            given = new(connectionString);
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            throw new HttpResilienceStorageException(
                $"The connection string of the SQLite database is not valid: {e.Message} Give it as 'Data Source=resilience.db'.", e);
        }

        if (given.Mode == SqliteOpenMode.Memory || given.DataSource is "" or ":memory:"
            || given.DataSource.StartsWith("file:", StringComparison.OrdinalIgnoreCase))
            throw new HttpResilienceStorageException(
                $"The SQLite database '{given.DataSource}' is not a file, and its contents would be lost with the process. "
                + "Give a path: 'Data Source=resilience.db'.");

        var timeout = TimeSpan.FromSeconds(given.ShouldSerialize("Default Timeout") ? given.DefaultTimeout : DefaultTimeout);
        given.DataSource = System.IO.Path.GetFullPath(given.DataSource);
        // The file exists when it is opened: Create makes it readable by its owner only; SQLite would make it readable by all.
        given.Mode = given.Mode == SqliteOpenMode.ReadOnly ? SqliteOpenMode.ReadOnly : SqliteOpenMode.ReadWrite;
        given.Cache = SqliteCacheMode.Private;
        // The store keeps its connections and closes them with itself; the pool of the process would keep the file open.
        given.Pooling = false;
        // SQLite itself waits for another process (busy_timeout); the waiting of the library, in steps of 150 ms, only adds to it.
        given.DefaultTimeout = 1;
        return new(given.DataSource, given.ConnectionString, timeout, schema);
    }

    /// <summary>Opens a connection to the database and prepares its schema.</summary>
    internal SqliteSession Open() => Open(timeout);

    /// <inheritdoc cref="Open()"/>
    /// <param name="lockTimeout">At most <see cref="Timeout"/>.</param>
    internal SqliteSession Open(TimeSpan lockTimeout)
    {
        SqliteConnection? connection = null;
        try
        {
            Create();
            connection = new(connectionString);
            connection.Open();
            var session = new SqliteSession(connection);
            session.Wait(lockTimeout);
            // The busy timeout covers neither the change to WAL nor the recovery of a log: for those, the library itself retries; it must
            // not begin again when SQLite has waited.
            connection.DefaultTimeout = Math.Max(1, (int)lockTimeout.TotalSeconds - 1);
            schema.Prepare(session, path);
            connection.DefaultTimeout = 1;
            // What a statement needs to undo itself stays in memory: the claim of many letters would write it to a file.
            session.Execute("PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY");
            _wasOpened = true;
            connection = null;
            return session;
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw Describe(e, lockTimeout);
        }
        finally
        {
            connection?.Dispose();
        }
    }

    /// <param name="lockTimeout">How long a lock was waited for; null for <see cref="Timeout"/>.</param>
    internal HttpResilienceStorageException Describe(Exception exception, TimeSpan? lockTimeout = null)
    {
        string what = exception switch
        {
            SqliteException { SqliteErrorCode: 5 or 6 } =>
                $"was locked by another process for {(lockTimeout ?? timeout).TotalSeconds:0.#} seconds (Default Timeout)",
            SqliteException { SqliteErrorCode: 8 } => "can only be read: give the process the right to write the file and its directory",
            SqliteException { SqliteErrorCode: 11 } => "is damaged: move it away and restore a copy, or let a new one be created",
            SqliteException { SqliteErrorCode: 13 } => "is full: free disk space, purge finished letters, or raise max_page_count",
            SqliteException { SqliteErrorCode: 14 } or UnauthorizedAccessException =>
                "cannot be opened: give the process the right to read and write the file and its directory",
            SqliteException { SqliteErrorCode: 26 } => "is not a SQLite database: it was left as it is; choose another path",
            SqliteException { SqliteErrorCode: 10 } or IOException => "cannot be read or written: check the disk",
            _ => "reported an error",
        };
        return new($"The SQLite database {path} {what}. ({exception.Message})", exception);
    }

    /// <summary>
    /// Verifies that the file was not deleted since the last time, and that a letter has room on the disk. A write shows neither: on a full
    /// disk a commit may still succeed in the room that the log has already.
    /// </summary>
    internal void ShouldKeepMore()
    {
        if (Interlocked.Exchange(ref _wasDeleted, false))
        {
            throw new HttpResilienceStorageException(
                $"The SQLite database {path} was deleted while in use: its contents are lost, new data goes to a new file. "
                + "Restore it from a copy while the application is stopped.");
        }

        if (FreeSpace() is { } free and < MinFreeSpace)
            throw new HttpResilienceStorageException(
                $"The SQLite database {path} is full: its disk has {free / 1024} KiB left; free disk space, or purge finished letters.");
    }

    private long? FreeSpace()
    {
        string directory = System.IO.Path.GetDirectoryName(path)!;
        try
        {
            return new DriveInfo(OperatingSystem.IsWindows() ? System.IO.Path.GetPathRoot(directory)! : directory).AvailableFreeSpace;
        }
        catch (Exception e) when (e is ArgumentException or IOException or UnauthorizedAccessException)
        {
            // A network share has no such number.
            return null;
        }
    }

    private void Create()
    {
        string directory = System.IO.Path.GetDirectoryName(path)!;
        if (!Directory.Exists(directory))
            throw new HttpResilienceStorageException(
                $"The SQLite database {path} cannot be created: there is no directory {directory}. Create it, or choose another path.");
        // Closing a file releases all locks that the process has on it (POSIX): not while another thread creates it.
        lock (Creating)
            CreateFile();
    }

    private void CreateFile()
    {
        if (File.Exists(path))
            return;

        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            using var file = new FileStream(path, options);
            if (_wasOpened)
                Volatile.Write(ref _wasDeleted, true);
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another process created it first.
        }
    }
}
