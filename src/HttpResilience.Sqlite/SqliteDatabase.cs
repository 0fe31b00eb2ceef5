using Microsoft.Data.Sqlite;

namespace HttpResilience;

/// <summary>One database file: opens it, and says what is wrong with it.</summary>
internal sealed class SqliteDatabase(string path, string connectionString, TimeSpan timeout, SqliteSchema schema)
{
    private const int DefaultTimeout = 10;

    private static readonly Lock Creating = new();

    internal string Path => path;

    internal static SqliteDatabase From(string connectionString, SqliteSchema schema)
    {
        SqliteConnectionStringBuilder given;
        try
        {
            given = new(connectionString);
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            throw new HttpResilienceStorageException($"The connection string of the SQLite database is not valid: {e.Message} Give it as 'Data Source=resilience.db'.", e);
        }

        if (given.Mode == SqliteOpenMode.Memory || given.DataSource is "" or ":memory:" || given.DataSource.StartsWith("file:", StringComparison.OrdinalIgnoreCase))
            throw new HttpResilienceStorageException($"The SQLite database '{given.DataSource}' is not a file: what it keeps would not outlive the process. Give a path: 'Data Source=resilience.db'.");

        var timeout = TimeSpan.FromSeconds(given.ShouldSerialize("Default Timeout") ? given.DefaultTimeout : DefaultTimeout);
        given.DataSource = System.IO.Path.GetFullPath(given.DataSource);
        // The file is there when it is opened: made by Create, for its owner only, not by SQLite for everyone.
        given.Mode = given.Mode == SqliteOpenMode.ReadOnly ? SqliteOpenMode.ReadOnly : SqliteOpenMode.ReadWrite;
        given.Cache = SqliteCacheMode.Private;
        // Connections are kept here, and closed when the storage is: a pool of the whole process would hold the file.
        given.Pooling = false;
        // SQLite itself waits for another process (busy_timeout): the library's own waiting in steps of 150 ms only adds to it.
        given.DefaultTimeout = 1;
        return new(given.DataSource, given.ConnectionString, timeout, schema);
    }

    /// <summary>A connection to the database, which has the schema that this version knows.</summary>
    internal SqliteSession Open()
    {
        SqliteConnection? connection = null;
        try
        {
            Create();
            connection = new(connectionString);
            connection.Open();
            var session = new SqliteSession(connection);
            session.Execute($"PRAGMA busy_timeout = {(long)timeout.TotalMilliseconds}");
            // The busy timeout covers neither the change to WAL nor the recovery of a log: for those, the library itself retries.
            connection.DefaultTimeout = Math.Max(1, (int)timeout.TotalSeconds);
            schema.Prepare(session, path);
            connection.DefaultTimeout = 1;
            session.Execute("PRAGMA synchronous = FULL");
            connection = null;
            return session;
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw Describe(e);
        }
        finally
        {
            connection?.Dispose();
        }
    }

    internal HttpResilienceStorageException Describe(Exception exception)
    {
        string what = exception switch
        {
            SqliteException { SqliteErrorCode: 5 or 6 } => $"has been kept busy by another process for {timeout.TotalSeconds:0.#} seconds (Default Timeout)",
            SqliteException { SqliteErrorCode: 8 } => "can only be read: give the process the right to write the file and its directory",
            SqliteException { SqliteErrorCode: 11 } => "is damaged: move it away and restore a copy, or let a new one be made",
            SqliteException { SqliteErrorCode: 13 } => "is full: make room on the disk, purge what is done with, or raise max_page_count",
            SqliteException { SqliteErrorCode: 14 } or UnauthorizedAccessException => "cannot be opened: give the process the right to read and write the file and its directory",
            SqliteException { SqliteErrorCode: 26 } => "is not a SQLite database: it was left as it is; choose another path",
            SqliteException { SqliteErrorCode: 10 } or IOException => "cannot be read or written: look at the disk",
            _ => "could not do what was asked",
        };
        return new($"The SQLite database {path} {what}. ({exception.Message})", exception);
    }

    private void Create()
    {
        string directory = System.IO.Path.GetDirectoryName(path)!;
        if (!Directory.Exists(directory))
            throw new HttpResilienceStorageException($"The SQLite database {path} cannot be made: there is no directory {directory}. Create it, or choose another path.");
        // To close a file lets go of all locks that the process has on it: not while another thread already has it open.
        lock (Creating)
            CreateFile();
    }

    private void CreateFile()
    {
        if (File.Exists(path))
            return;

        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.ReadWrite | FileShare.Delete };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            using var file = new FileStream(path, options);
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another process was faster.
        }
    }
}
