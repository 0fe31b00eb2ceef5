using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace HttpResilience;

/// <summary>A connection, used by one thread at a time, and its prepared statements.</summary>
internal sealed class SqliteSession(SqliteConnection connection) : IDisposable
{
    private const int HasMoved = 20;

    private readonly Dictionary<string, SqliteCommand> _commands = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SqliteStatement> _statements = new(StringComparer.Ordinal);
    private TimeSpan? _lockTimeout;

    /// <summary>Whether the file was deleted or replaced: SQLite would go on writing to a file that has no name any more.</summary>
    internal bool IsGone => FileControl(connection.Handle!.DangerousGetHandle(), 0, HasMoved, out int moved) == 0 && moved != 0;

    /// <summary>Sets how long SQLite waits for the lock of another process.</summary>
    internal void Wait(TimeSpan lockTimeout)
    {
        if (_lockTimeout == lockTimeout)
            return;
        using var command = connection.CreateCommand();
        command.CommandText = string.Create(CultureInfo.InvariantCulture, $"PRAGMA busy_timeout = {(long)lockTimeout.TotalMilliseconds}");
        command.ExecuteNonQuery();
        _lockTimeout = lockTimeout;
    }

    /// <summary>Ends the statement that runs now, from any thread; the connection can be used again.</summary>
    internal void Interrupt() => raw.sqlite3_interrupt(connection.Handle);

    /// <summary>A statement with its parameters, by name.</summary>
    internal SqliteCommand Command(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        if (!_commands.TryGetValue(sql, out var command))
        {
            command = connection.CreateCommand();
            command.CommandText = sql;
            _commands.Add(sql, command);
        }

        // A command keeps the timeout that the connection had when it was made.
        command.CommandTimeout = connection.DefaultTimeout;
        command.Parameters.Clear();
        foreach (var (name, value) in parameters)
            command.Parameters.Add(new SqliteParameter(name, value ?? DBNull.Value));
        return command;
    }

    internal int Execute(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters) =>
        Command(sql, parameters).ExecuteNonQuery();

    /// <summary>Executes a change with values by position.</summary>
    /// <returns>The number of rows changed.</returns>
    internal int Change(string sql, ReadOnlySpan<object?> values)
    {
        if (!_statements.TryGetValue(sql, out var statement))
            _statements.Add(sql, statement = new(connection.Handle!, sql));
        return statement.Execute(values);
    }

    internal T? Scalar<T>(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters) =>
        Command(sql, parameters).ExecuteScalar() is { } value and not DBNull ? (T)value : default;

    internal List<T> Read<T>(Func<StoredRow, T> row, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using var reader = Command(sql, parameters).ExecuteReader();
        List<T> rows = [];
        StoredRow? at = null;
        while (reader.Read())
            rows.Add(row(at ??= new(reader)));
        return rows;
    }

    public void Dispose()
    {
        foreach (var statement in _statements.Values)
            statement.Dispose();
        foreach (var command in _commands.Values)
            command.Dispose();
        connection.Dispose();
    }

    // The managed library does not offer this call. On Windows, where an open file cannot be deleted, it returns an error code.
    [DllImport("e_sqlite3", EntryPoint = "sqlite3_file_control", CallingConvention = CallingConvention.Cdecl),
    DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static extern int FileControl(nint database, nint name, int operation, out int result);
}
