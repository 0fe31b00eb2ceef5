using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Operations;

/// <summary>
/// The queue of one sink, sent in order: a slow or failing sink delays no other. A failed alert is retried.
/// </summary>
internal sealed partial class AlertOutbox : IDisposable
{
    internal const string LogCategory = AlertSinks.LogCategory;

    internal const int Capacity = 200;

    private static readonly TimeSpan SendTimeout = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan StoreTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxPause = TimeSpan.FromMinutes(1);

    private readonly Channel<QueuedAlert> _alerts;
    private readonly CancellationTokenSource _stopped = new();
    private readonly IAlertSink _sink;
    private readonly AlertOutboxRules _rules;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Task _sending;
    private bool _isDown;
    private QueuedAlert? _current;
    private bool _isDisposed;

    internal AlertOutbox(IAlertSink sink, AlertOutboxRules rules, TimeProvider time, ILogger logger)
    {
        (_sink, _rules, _time, _logger) = (sink, rules, time, logger);
        _alerts = Channel.CreateBounded<QueuedAlert>(
            new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true },
            dropped =>
            {
                Dropped(logger, rules.Name, dropped.Alert.Title, dropped.Alert.Phase);
                dropped.Done.SetResult(true);
            });
        // Not on the evaluator's thread: a sink may do all its work before its first await.
        using (AmbientContext.Suppress())
            _sending = Task.Run(SendAllAsync);
    }

    /// <returns>
    /// True when the sink has accepted the alert, it is stored as a dead letter, or it is given up; false when the host has stopped before.
    /// </returns>
    internal Task<bool> Add(Alert alert)
    {
        var queued = new QueuedAlert(alert, new(TaskCreationOptions.RunContinuationsAsynchronously));
        if (!_alerts.Writer.TryWrite(queued))
            queued.Done.SetResult(false);
        return queued.Done.Task;
    }

    /// <summary>Accepts no more alerts and sends the queued ones until the token is cancelled.</summary>
    internal async Task StopAsync(CancellationToken cancellationToken)
    {
        _alerts.Writer.TryComplete();
        await _sending.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _stopped.CancelAsync().ConfigureAwait(false);
        // The remaining alerts are stored before the store is closed.
        await _sending.ConfigureAwait(false);
    }

    /// <summary>Stops at once. A sink that ignores its token is abandoned.</summary>
    public void Dispose()
    {
        _alerts.Writer.TryComplete();
        if (!_isDisposed)
            _stopped.Cancel();
        _isDisposed = true;
        _ = _sending.ContinueWith(
            static (_, stopped) => ((CancellationTokenSource)stopped!).Dispose(),
            _stopped, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    private async Task SendAllAsync()
    {
        try
        {
            await foreach (var alert in _alerts.Reader.ReadAllAsync(_stopped.Token).ConfigureAwait(false))
            {
                _current = alert;
                await SendAsync(alert.Alert).ConfigureAwait(false);
                _current = null;
                alert.Done.SetResult(true);
            }
        }
        catch (OperationCanceledException) when (_stopped.IsCancellationRequested)
        {
            await KeepAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Stores the unsent alerts when the host stops, if there is a store.</summary>
    private async Task KeepAsync()
    {
        List<QueuedAlert> left = _current is { } current ? [current] : [];
        while (_alerts.Reader.TryRead(out var next))
            left.Add(next);
        if (left.Count == 0)
            return;
        bool isKept = false;
        try
        {
            using var timeout = new CancellationTokenSource(StoreTimeout, _time);
            isKept = await _rules.KeepAsync([.. left.Select(q => q.Alert)], timeout.Token).WaitAsync(timeout.Token).ConfigureAwait(false);
            if (isKept)
                KeptAtStop(_logger, _rules.Name, left.Count);
            else
                Undelivered(_logger, _rules.Name, left.Count, exception: null);
        }
        catch (Exception e)
        {
            Undelivered(_logger, _rules.Name, left.Count, e);
        }

        left.ForEach(q => q.Done.SetResult(isKept));
    }

    // A sink of the application may throw exceptions whose message throws.
    private static string MessageOf(Exception failure)
    {
        try
        {
            return failure.Message;
        }
        catch (Exception)
        {
            return "its message cannot be read";
        }
    }

    private async Task SendAsync(Alert alert)
    {
        for (int tries = 1; ; tries++)
        {
            var failure = await TryAsync(alert).ConfigureAwait(false);
            if (failure is null)
            {
                if (_isDown)
                    DeliversAgain(_logger, _rules.Name);
                _isDown = false;
                return;
            }

            bool isLast = tries >= _rules.MaxTries || _rules.IsFinal(failure);
            // One line per outage of the sink is enough.
            if (!_isDown || isLast)
                Failed(_logger, _rules.Name, failure.GetType().Name, SingleLine.Clean(MessageOf(failure)),
                    isLast ? "it is given up" : "it is tried again");
            _isDown = true;
            if (isLast)
                return;
            await Task.Delay(PauseAfter(tries), _time, _stopped.Token).ConfigureAwait(false);
        }
    }

    /// <returns>The exception of the sink; null when it accepted the alert.</returns>
    private async Task<Exception?> TryAsync(Alert alert)
    {
        using var timeout = new CancellationTokenSource(SendTimeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _stopped.Token);
        try
        {
            // On another thread, because a sink may block before its first await.
            await Task.Run(() => _sink.SendAsync(alert, both.Token), both.Token).WaitAsync(both.Token).ConfigureAwait(false);
            return null;
        }
        catch (Exception e) when (!_stopped.IsCancellationRequested)
        {
            return e;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new OperationCanceledException(_stopped.Token);
        }
    }

    private static TimeSpan PauseAfter(int tries) => tries > 6 ? MaxPause : FirstPause * (1 << (tries - 1));

    [LoggerMessage(704, LogLevel.Warning, "Alerts do not get to {Sink}: {ErrorType}: {Error}; {Consequence}")]
    private static partial void Failed(ILogger logger, string sink, string errorType, string error, string consequence);

    [LoggerMessage(705, LogLevel.Warning, "Too many alerts wait for {Sink}; the oldest was dropped: {Title} ({Phase})")]
    private static partial void Dropped(ILogger logger, string sink, string title, AlertPhase phase);

    [LoggerMessage(708, LogLevel.Information, "Alerts get to {Sink} again")]
    private static partial void DeliversAgain(ILogger logger, string sink);

    [LoggerMessage(709, LogLevel.Warning, "The host stops while {Count} alerts wait for {Sink}; they are not delivered")]
    private static partial void Undelivered(ILogger logger, string sink, int count, Exception? exception);

    [LoggerMessage(712, LogLevel.Warning,
        "The host stops while {Count} alerts wait for {Sink}; they are kept as dead letters, and sent by the next process that sends "
        + "letters again")]
    private static partial void KeptAtStop(ILogger logger, string sink, int count);
}

/// <summary>An alert that waits for its sink.</summary>
/// <param name="Done">See <see cref="AlertOutbox.Add"/>.</param>
internal sealed record QueuedAlert(Alert Alert, TaskCompletionSource<bool> Done);

/// <summary>The settings of an outbox for its sink.</summary>
/// <param name="Name">For the log.</param>
/// <param name="MaxTries">The maximum number of tries of an alert.</param>
/// <param name="IsFinal">A retry cannot succeed.</param>
/// <param name="KeepAsync">Stores an undelivered alert; false when there is no store.</param>
internal sealed record AlertOutboxRules(string Name, int MaxTries, Func<Exception, bool> IsFinal,
    Func<IReadOnlyList<Alert>, CancellationToken, Task<bool>> KeepAsync)
{
    internal static AlertOutboxRules Of(AlertWebhook webhook, WebhookAlertSink sink) =>
        new($"the webhook of {webhook.Authority}", int.MaxValue, WebhookAlertSink.IsFinal, sink.KeepAsync);

    internal static AlertOutboxRules Of(IAlertSink sink) =>
        new(sink.GetType().Name, 5, static _ => false, static (_, _) => Task.FromResult(false));
}
