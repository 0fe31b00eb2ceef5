using Npgsql;

namespace HttpResilience;

/// <summary>
/// The server's clock, by which all processes measure leases: their own clocks may differ by more than a lease. Times that are compared
/// with those of other processes are converted on their way to the server and back.
/// </summary>
/// <remarks>
/// Times of a clock that does not run at the rate of the machine, such as that of a test, are not converted: they have no counterpart on
/// the server.
/// </remarks>
/// <param name="time">That of this process.</param>
/// <param name="machine">That of the machine. Default: the system's.</param>
internal sealed class PostgreSqlClock(TimeProvider time, TimeProvider? machine = null)
{
    /// <summary>
    /// A smaller difference matters to no lease, and does not change the times that are stored.
    /// </summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan MeasureEvery = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly (TimeSpan Least, TimeSpan Most) _atStart = AheadOfMachine(time, machine);
    private TimeSpan _ahead;
    private (long Timestamp, DateTimeOffset Time)? _measuredAt;
    private bool _isVirtual;

    /// <summary>
    /// The time by which the server's clock is ahead of this process's, in whole seconds; zero where they agree. It is known when a
    /// connection runs its statements.
    /// </summary>
    internal TimeSpan Ahead
    {
        get
        {
            lock (_gate)
                return _ahead;
        }
    }

    /// <summary>Measures by a connection, once a minute and after the clock was set.</summary>
    internal ValueTask MeasureAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_isVirtual || (_measuredAt is { } at && time.GetElapsedTime(at.Timestamp) is var since && since < MeasureEvery
                && (time.GetUtcNow() - at.Time - since).Duration() < Tolerance))
                return default;
        }

        return new(AskAsync(connection, cancellationToken));
    }

    private async Task AskAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        using var command = new NpgsqlCommand("SELECT clock_timestamp()", connection);
        var before = time.GetUtcNow();
        var server = new DateTimeOffset((DateTime)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!);
        var after = time.GetUtcNow();
        var (least, most) = AheadOfMachine(time, machine);
        lock (_gate)
        {
            _measuredAt = (time.GetTimestamp(), time.GetUtcNow());
            _isVirtual = least > _atStart.Most || most < _atStart.Least;
            var (measured, roundTrip) = (server - before - ((after - before) / 2), after - before);
            if (_isVirtual)
                _ahead = TimeSpan.Zero;
            // Unchanged within the tolerance, so that a time that is written and read again is the same.
            else if ((measured - _ahead).Duration() >= (roundTrip > Tolerance ? roundTrip : Tolerance))
                _ahead = TimeSpan.FromSeconds(Math.Round(measured.TotalSeconds));
        }
    }

    // Constant for a clock that is only set differently.
    private static (TimeSpan Least, TimeSpan Most) AheadOfMachine(TimeProvider time, TimeProvider? machine)
    {
        machine ??= TimeProvider.System;
        var before = machine.GetUtcNow();
        var now = time.GetUtcNow();
        return (now - machine.GetUtcNow(), now - before);
    }
}
