using Microsoft.Extensions.Logging;
using Npgsql;

namespace HttpResilience;

/// <summary>
/// Ends the waits for letters when any process has added some: from the first wait on, it listens on a connection of its own. While that is
/// down, waits time out.
/// </summary>
internal sealed partial class PostgreSqlArrivals(PostgreSqlDatabase database, TimeProvider time, ILogger log) : IAsyncDisposable
{
    private const string Channel = "_letters";

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100), MaxPause = TimeSpan.FromSeconds(10);

    private readonly LetterSignal _signal = new();
    private readonly CancellationTokenSource _closed = new();
    private readonly Lock _gate = new();
    private Task? _listening;
    private bool _isClosed;

    internal static string NotifySql(PostgreSqlDatabase database) => $"SELECT pg_notify('{database.SchemaName}{Channel}', '')";

    internal async Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, typeof(PostgreSqlStorage));
            using (AmbientContext.Suppress())
                _listening ??= Task.Run(ListenAsync, CancellationToken.None);
        }

        try
        {
            await _signal.GivenAfter(_signal.Taken).WaitAsync(atMost, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The wait has timed out; the caller looks for letters anyway.
        }

        _signal.Take();
    }

    private async Task ListenAsync()
    {
        var pause = FirstPause;
        while (!_closed.IsCancellationRequested)
        {
            try
            {
                var connection = await database.OpenToListenAsync(_closed.Token).ConfigureAwait(false);
                await using var connectionScope = connection.ConfigureAwait(false);
                connection.Notification += (_, _) => _signal.Give();
                using (var listen = new NpgsqlCommand($"LISTEN \"{database.SchemaName}{Channel}\"", connection))
                    await listen.ExecuteNonQueryAsync(_closed.Token).ConfigureAwait(false);
                // Letters added before the LISTEN have sent no notification to this connection.
                _signal.Give();
                pause = FirstPause;
                while (true)
                    await connection.WaitAsync(_closed.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_closed.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                LogDeaf(log, e, database.Name, pause);
            }

            try
            {
                await Task.Delay(pause, time, _closed.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            pause = pause * 2 < MaxPause ? pause * 2 : MaxPause;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task? listening;
        lock (_gate)
        {
            if (_isClosed)
                return;
            _isClosed = true;
            _closed.Cancel();
            listening = _listening;
        }

        if (listening is not null)
            await listening.ConfigureAwait(false);
        _closed.Dispose();
    }

    [LoggerMessage(
        2, LogLevel.Warning, "Listening for new letters in {Database} failed; reconnecting in {Pause}, polling until then")]
    private static partial void LogDeaf(ILogger logger, Exception exception, string database, TimeSpan pause);
}
