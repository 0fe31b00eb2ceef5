using Npgsql;

namespace HttpResilience;

/// <summary>The connections to a PostgreSQL database, or to the primary of several hosts.</summary>
internal sealed class PostgreSqlConnections : IAsyncDisposable
{
    /// <summary>
    /// The stores keep no state in a session: there is nothing to reset, and a pooler may give each transaction another session. A standby
    /// that has become the primary is found within a second.
    /// </summary>
    private static readonly (string Key, object Value)[] Defaults =
    [
        ("Timeout", 5), ("Command Timeout", 10), ("Cancellation Timeout", 500), ("No Reset On Close", true), ("Host Recheck Seconds", 1),
        ("Application Name", "HttpResilience"),
    ];

    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlDataSource _target;

    private PostgreSqlConnections(NpgsqlConnectionStringBuilder connection)
    {
        // The slim builder uses no reflection, so that trimmed applications keep only the features named here.
        var builder = new NpgsqlSlimDataSourceBuilder(connection.ConnectionString)
            .EnableTransportSecurity().EnableIntegratedSecurity().EnableArrays();
        if (connection.Host!.Contains(',', StringComparison.Ordinal))
        {
            // Npgsql takes the attribute not from the connection string here, but from the connection that is asked for.
            string? target = builder.ConnectionStringBuilder.TargetSessionAttributes;
            builder.ConnectionStringBuilder.Remove("Target Session Attributes");
            var hosts = builder.BuildMultiHost();
            _source = hosts;
            _target = hosts.WithTargetSession(Parse(target));
        }
        else
        {
            _source = _target = builder.Build();
        }
    }

    /// <summary>The given settings with the defaults and the settings that the stores rely on.</summary>
    /// <exception cref="ArgumentException">There is no host, or a setting is not valid.</exception>
    internal static NpgsqlConnectionStringBuilder Settings(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        if (string.IsNullOrEmpty(settings.Host))
            throw new ArgumentException("Host is missing.");
        foreach (var (key, value) in Defaults)
        {
            if (!settings.ShouldSerialize(key))
                settings[key] = value;
        }

        // The rollback of a caller's TransactionScope must not remove rows that were reported as stored, its own or those of other callers.
        settings.Enlist = false;
        return settings;
    }

    internal static PostgreSqlConnections Pooled(NpgsqlConnectionStringBuilder settings) => new(settings);

    /// <summary>For connections that are kept open to listen on.</summary>
    internal static PostgreSqlConnections ToListen(NpgsqlConnectionStringBuilder settings) => new(new(settings.ConnectionString)
    {
        Pooling = false,
        // Detects a server that vanished without closing the connection.
        KeepAlive = settings.KeepAlive == 0 ? 15 : settings.KeepAlive,
    });

    internal ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) => _target.OpenConnectionAsync(cancellationToken);

    /// <summary>Closes the connections of the pool, and asks the hosts again which of them is the primary.</summary>
    internal void Clear()
    {
        _source.Clear();
        (_source as NpgsqlMultiHostDataSource)?.ClearDatabaseStates();
    }

    private static TargetSessionAttributes Parse(string? given) => given?.Replace("-", "", StringComparison.Ordinal) is { } name
        ? Enum.Parse<TargetSessionAttributes>(name, ignoreCase: true)
        : TargetSessionAttributes.Primary;

    public ValueTask DisposeAsync() => _source.DisposeAsync();
}
