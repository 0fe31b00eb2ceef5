using System.Net.Sockets;
using System.Security.Authentication;
using Npgsql;

namespace HttpResilience;

/// <summary>Distinguishes failures of a connection from failures of a statement, and transient from permanent failures.</summary>
internal static class PostgreSqlFailure
{
    private const string IdleSessionTimeout = "57P05", IdleInTransactionTimeout = "25P03", TransactionTimeout = "25P04";

    /// <summary>A transient failure: another connection, or a later try, may succeed.</summary>
    internal static bool IsPassing(Exception e) => e switch
    {
        PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName } => true,
        // An administrator created the schema at the same moment.
        PostgresException { SqlState: PostgresErrorCodes.DuplicateSchema } => true,
        PostgresException { SqlState: PostgresErrorCodes.UniqueViolation, TableName: "pg_namespace" } => true,
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } => false,
        // The role's statement_timeout, or an administrator; the store's own timeouts arrive as other exceptions.
        PostgresException { SqlState: PostgresErrorCodes.QueryCanceled } => true,
        PostgresException p => p.IsTransient || IsOfConnection(p),
        NpgsqlException n when IsWithoutEncryption(n) => false,
        // None of several hosts is the primary, or can be reached.
        NpgsqlException { InnerException: null or AggregateException } => true,
        NpgsqlException n => n.IsTransient || n.InnerException is IOException or SocketException or TimeoutException,
        _ => true,
    };

    /// <summary>
    /// A failure of the connection, not of the statement: it was cut, it leads to a standby, or a connection pooler has given it another
    /// session than before. The other connections of the pool are then like it.
    /// </summary>
    internal static bool IsOfConnection(Exception e) => e is not PostgresException p
        || IsShutdown(p)
        || p.SqlState is ['0', '8', ..]
            // Sent to a standby, or to a primary that has become one.
            or PostgresErrorCodes.ReadOnlySqlTransaction
            // A statement, plan or portal of another session.
            or PostgresErrorCodes.InvalidSqlStatementName or PostgresErrorCodes.DuplicatePreparedStatement
            or PostgresErrorCodes.InvalidCursorName or PostgresErrorCodes.FeatureNotSupported
            // A transaction of another session, which it left open.
            or PostgresErrorCodes.InFailedSqlTransaction or PostgresErrorCodes.ActiveSqlTransaction
            // The server has ended the session because its transaction took too long.
            or IdleInTransactionTimeout or TransactionTimeout;

    /// <summary>Whether a transaction may have been committed although its statements failed: the answer was lost.</summary>
    internal static bool MayHaveCommitted(Exception e) => e is not PostgresException p || IsShutdown(p) || p.SqlState is ['0', '8', ..];

    /// <summary>Whether a transaction of many writes failed because of one of them.</summary>
    internal static bool IsOfOneWrite(Exception e) =>
        e is PostgresException { SqlState: not ['5', '7', ..] } && !IsOfConnection(e);

    /// <summary>What the database does, as the end of a sentence.</summary>
    internal static string Describe(Exception exception) => exception switch
    {
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } => "has no room on its disk",
        PostgresException { SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification } =>
            "does not accept the user or the password",
        PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } => "does not exist: create it, or choose another one",
        PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction } => "can only be read: connect to the primary server",
        PostgresException { SqlState: PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected } =>
            "reported a conflict with other transactions at every try",
        PostgresException { SqlState: PostgresErrorCodes.QueryCanceled } =>
            "cancelled the statement at every try: check statement_timeout of the user and whether its tables are locked (pg_locks)",
        PostgresException e when !IsShutdown(e) => "reported an error",
        { InnerException: AuthenticationException } =>
            "has a certificate that is not trusted: set Root Certificate to that of its authority, and Host to the name in the certificate",
        // Of several hosts.
        NpgsqlException { InnerException: AggregateException { InnerExceptions: [var first, ..] } } => Describe(first),
        NpgsqlException e when IsWithoutEncryption(e) => "offers no encryption, which SSL Mode requires: set ssl = on at the server",
        TimeoutException or { InnerException: TimeoutException } =>
            "did not answer in time: check whether its tables are locked (pg_locks), and that the server runs and can be reached",
        _ => "cannot be reached: check that the server runs, that this machine may connect to it, and that host and port are right",
    };

    // Only the message of Npgsql shows it.
    private static bool IsWithoutEncryption(NpgsqlException e) =>
        e.InnerException is null && e.Message.StartsWith("SSL connection requested", StringComparison.Ordinal);

    private static bool IsShutdown(PostgresException e) =>
        e.SqlState is PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow
            or PostgresErrorCodes.DatabaseDropped or IdleSessionTimeout;
}
