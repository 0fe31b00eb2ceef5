using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Reads the rows of a table of which one may come from a newer version or a manual edit: it is left out, and the others are used. The
/// first one of each table is logged.
/// </summary>
internal sealed partial class StoredRows(ILogger log)
{
    private readonly ConcurrentDictionary<string, bool> _logged = new(StringComparer.Ordinal);

    /// <summary>
    /// The values do not have the format of a row. A failure of the database, of the connection or for want of memory says nothing about
    /// the row.
    /// </summary>
    internal static bool IsOfFormat(Exception e) =>
        e is FormatException or JsonException or InvalidCastException or OverflowException or ArgumentException
            or HttpResilienceStorageException;

    /// <summary>The row; null when it cannot be read.</summary>
    internal T? OrNull<T>(string table, Func<T?> read)
        where T : class => Or<T?>(table, read, _ => null);

    /// <summary>The row, or a substitute for one that cannot be read.</summary>
    internal T Or<T>(string table, Func<T> read, Func<Exception, T> substitute)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (IsOfFormat(e))
        {
            if (_logged.TryAdd(table, true))
                LogUnreadable(log, e, table);
            return substitute(e);
        }
    }

    /// <summary>The only row of an operation that cannot go on without it.</summary>
    /// <exception cref="HttpResilienceStorageException">It cannot be read.</exception>
    internal static T OrThrow<T>(string name, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (IsOfFormat(e) && e is not HttpResilienceStorageException)
        {
            throw Unreadable(name, e);
        }
    }

    /// <inheritdoc cref="OrThrow"/>
    internal static async Task<T> OrThrowAsync<T>(string name, Func<Task<T>> read)
    {
        try
        {
            return await read().ConfigureAwait(false);
        }
        catch (Exception e) when (IsOfFormat(e) && e is not HttpResilienceStorageException)
        {
            throw Unreadable(name, e);
        }
    }

    private static HttpResilienceStorageException Unreadable(string name, Exception e) =>
        new($"The row of {name} cannot be read: {e.Message} Correct it, or delete it.", e);

    [LoggerMessage(
        422, LogLevel.Error,
        "A row of the table {Table} cannot be read and is left out; the others are used. Use a version of HttpResilience that can read it, "
        + "or correct the row")]
    private static partial void LogUnreadable(ILogger logger, Exception exception, string table);
}
