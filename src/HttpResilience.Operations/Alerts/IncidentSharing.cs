using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Operations;

/// <summary>
/// Sends each alert once for all processes of the application that share a store (<see cref="SharedIncidentRules"/>). While the store
/// fails, each process sends from memory: the starts that it observes, and the ends of the incidents whose last alert it has sent.
/// </summary>
/// <param name="store">Null without durable storage: every alert is sent from memory.</param>
internal sealed partial class IncidentSharing(
    IIncidentStore? store, AlertSettings settings, AlertSinks sinks, LocalAlerts unshared, TimeProvider time, ILogger logger)
    : DetachedWorker
{
    internal const string LogCategory = AlertLog.LogCategory;

    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StoreTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    // A store that restarts answers before this: alerts wait for it, because without it each process sends its own.
    private static readonly TimeSpan OutageTimeout = TimeSpan.FromSeconds(30);

    // Each is the progress of another process.
    private const int MaxConflicts = 100;

    private readonly Guid _self = Guid.CreateVersion7();
    private readonly Channel<bool> _changes =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly LocalIncidents _local = new();
    private readonly AlertDeliveries _deliveries = new(time);
    private readonly Dictionary<string, SharedIncident> _shared = [];
    private readonly Dictionary<string, Alert> _fromMemory = [];
    private DateTimeOffset _trustedSince = DateTimeOffset.MinValue;
    private long? _failsSince;
    private bool _isFromMemory;

    internal static IncidentSharing Of(IServiceProvider services) => new(
        services.GetService<IIncidentStore>(), services.GetRequiredService<AlertSettings>(), services.GetRequiredService<AlertSinks>(),
        services.GetRequiredService<LocalAlerts>(), services.GetRequiredService<TimeProvider>(),
        services.GetRequiredService<ILoggerFactory>().CreateLogger(LogCategory));

    /// <summary>Completes when the sinks have the alerts that are being sent.</summary>
    internal Task Deliveries => _deliveries.Completion;

    /// <summary>Takes over what an evaluation has found. It does not wait for the store.</summary>
    /// <param name="alert">The alert that this process would send alone; null when nothing is new.</param>
    /// <param name="isOpen">The incident is open in this process.</param>
    internal void Report(IncidentKey incident, Alert? alert, bool isOpen, TimeSpan coolDown)
    {
        // A failing store cannot decide which process reports that it fails.
        if (store is null || incident.Topic is AlertTopic.Storage)
        {
            if (alert is not null)
            {
                unshared.Add(alert);
                Send(alert);
            }

            return;
        }

        if (_local.Report(incident, alert, isOpen, coolDown))
            Signal();
    }

    protected override async Task WorkAsync(CancellationToken stoppingToken)
    {
        while (store is not null && !stoppingToken.IsCancellationRequested)
        {
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            var changed = _changes.Reader.WaitToReadAsync(enough.Token).AsTask();
            await Task.WhenAny(Task.Delay(PollInterval, time, enough.Token), changed).ConfigureAwait(false);
            await enough.CancelAsync().ConfigureAwait(false);
            _changes.Reader.TryRead(out _);
            if (!stoppingToken.IsCancellationRequested && settings.Policy.IsOn)
                await LookAsync(store, stoppingToken).ConfigureAwait(false);
        }
    }

    /// <summary>Stores which alerts were sent, after the sinks have stopped, and gives up the right to send the others.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        if (store is null)
            return;
        try
        {
            // The sinks may stop at the same time, and the last alert completes a moment after them.
            await Deliveries.WaitAsync(StopTimeout, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            using var timeout = new CancellationTokenSource(StopTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
            // A look that was cancelled may have stored a row without sending its alert.
            if (_local.Keys.Count + _deliveries.Keys.Count > 0)
                await FinishAsync(store, either.Token).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The lease of an alert expires, and another process sends it.
        }
    }

    /// <summary>Compares what this process observes with the rows of the application.</summary>
    internal async Task LookAsync(IIncidentStore rows, CancellationToken stopping)
    {
        using var timeout = new CancellationTokenSource(StoreTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stopping);
        try
        {
            await ShareAsync(rows, either.Token).ConfigureAwait(false);
            if (_isFromMemory)
                SharesAgain(logger);
            (_failsSince, _isFromMemory) = (null, false);
        }
        catch (Exception) when (stopping.IsCancellationRequested)
        {
            // The host stops.
        }
        catch (Exception e)
        {
            _failsSince ??= time.GetTimestamp();
            if (time.GetElapsedTime(_failsSince.Value) < OutageTimeout)
                return;
            if (!_isFromMemory)
                Fails(logger, e);
            _isFromMemory = true;
            foreach (string key in Keys())
                SendFromMemory(key);
        }
    }

    private async Task ShareAsync(IIncidentStore rows, CancellationToken cancellationToken)
    {
        await ListAsync(rows, cancellationToken).ConfigureAwait(false);
        if (_failsSince is not null || _trustedSince == DateTimeOffset.MinValue)
            _trustedSince = time.GetUtcNow();
        foreach (string key in Keys())
            await ShareAsync(rows, key, cancellationToken).ConfigureAwait(false);
    }

    private async Task ShareAsync(IIncidentStore rows, string key, CancellationToken cancellationToken)
    {
        for (int conflicts = 0; conflicts <= MaxConflicts; conflicts++)
        {
            if (await TryShareAsync(rows, key, cancellationToken).ConfigureAwait(false))
                return;
            await ListAsync(rows, cancellationToken).ConfigureAwait(false);
            if (conflicts > 0 && !_shared.ContainsKey(key))
            {
                // The row is there and cannot be read.
                SendFromMemory(key);
                return;
            }
        }
    }

    private async Task ListAsync(IIncidentStore rows, CancellationToken cancellationToken)
    {
        var listed = await rows.ListAsync(cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
        _shared.Clear();
        foreach (var row in listed)
            _shared[row.Key] = SharedIncident.Of(row);
    }

    /// <returns>False when another process has changed the row meanwhile.</returns>
    private async Task<bool> TryShareAsync(IIncidentStore rows, string key, CancellationToken cancellationToken)
    {
        var (local, shared, now) = (_local.Of(key), _shared.GetValueOrDefault(key), time.GetUtcNow());
        if (Remembered(key, shared, local, now) is { } remembered)
        {
            if (!await SaveAsync(rows, remembered, cancellationToken).ConfigureAwait(false))
                return false;
            _fromMemory.Remove(key);
            shared = _shared[key];
        }

        if (Delivered(key, shared) is { } delivered)
        {
            if (!await SaveAsync(rows, delivered, cancellationToken).ConfigureAwait(false))
                return false;
            _deliveries.Remove(key);
            shared = _shared[key];
        }

        if (shared is not { IsOpen: true } && Follows(local, now))
            return true;
        var step = SharedIncidentRules.Next(key, shared, local, _self, _deliveries.Of(key) is not null, now, _trustedSince);
        // Another process sends it: the sinks of this one accept nothing more.
        if (step.Sends && sinks.AreStopped)
            return true;
        if (step.Write is { } write)
        {
            if (!await SaveAsync(rows, write, cancellationToken).ConfigureAwait(false))
                return false;
            if (step.Sends)
                Deliver(key, write.Alert, isTakenOver: shared is { IsOpen: true, SentAt: null } && shared.Sender != _self);
        }

        _local.Settle(key, local);
        return true;
    }

    /// <summary>The row of an incident that this process has reported from memory while the store failed; null for none to write.</summary>
    private SharedIncident? Remembered(string key, SharedIncident? shared, LocalIncident local, DateTimeOffset now)
    {
        if (!_fromMemory.TryGetValue(key, out var alert))
            return null;
        if (shared is { IsOpen: true } && shared.Alert.Id == alert.Id)
        {
            return shared with
            {
                Alert = alert,
                Sender = _self,
                SentAt = alert.At,
                SeenBy = alert.Phase is AlertPhase.Ended ? SharedIncident.NoSightings : shared.SeenBy,
            };
        }

        if (alert.Phase is not AlertPhase.Ended && local.IsOpen)
        {
            return shared is { IsOpen: true } ? null
                : new(key, shared?.Version ?? 0, alert, _self, now, alert.At, new Dictionary<Guid, DateTimeOffset> { [_self] = now });
        }

        // The row has another id, from a process that began the incident in the store: the alert under this id ends here.
        if (alert.Phase is not AlertPhase.Ended)
            Send(SharedIncidentRules.End(alert, now));
        _fromMemory.Remove(key);
        return null;
    }

    private bool Follows(LocalIncident local, DateTimeOffset now)
    {
        if (local is not { Key: { } key, Alert: { } alert } || SharedIncidentKey.PrefixesOfCauses(key) is not { Count: > 0 } prefixes)
            return false;
        var known = _shared.Values.Concat(
            _fromMemory.Select(m => new SharedIncident(m.Key, 0, m.Value, _self, m.Value.At, m.Value.At, SharedIncident.NoSightings)));
        return SharedIncidentRules.Follows(
            alert, known.Where(i => prefixes.Any(p => i.Key.StartsWith(p, StringComparison.Ordinal))), now);
    }

    private SharedIncident? Delivered(string key, SharedIncident? shared)
    {
        if (_deliveries.Of(key) is not { Sending.IsCompleted: true } delivery)
            return null;
        if (shared is { SentAt: null } && shared.Is(delivery.Alert) && delivery.IsSent)
            return shared with { SentAt = delivery.Alert.At };
        _deliveries.Remove(key);
        return null;
    }

    private async Task<bool> SaveAsync(IIncidentStore rows, SharedIncident row, CancellationToken cancellationToken)
    {
        if (!await rows.SaveAsync(row.Row(time.GetUtcNow()), cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false))
            return false;
        _shared[row.Key] = row with { Version = row.Version + 1 };
        return true;
    }

    private void Deliver(string key, Alert alert, bool isTakenOver)
    {
        if (isTakenOver)
            TakenOver(logger, alert.Id);
        _deliveries.Add(key, alert, Send(alert), Signal);
    }

    private IReadOnlyList<Task<bool>> Send(Alert alert)
    {
        AlertLog.Write(logger, alert);
        return sinks.Add(alert);
    }

    private void SendFromMemory(string key)
    {
        var (local, shared) = (_local.Of(key), _shared.GetValueOrDefault(key));
        // The next alert waits until the sinks have the last one.
        if (_deliveries.Of(key) is { Sending.IsCompleted: false })
            return;
        if (Next(key, shared, local, time.GetUtcNow()) is { } alert)
        {
            _fromMemory[key] = alert;
            Send(alert);
        }

        _local.Settle(key, local);
    }

    private Alert? Next(string key, SharedIncident? shared, LocalIncident local, DateTimeOffset now)
    {
        bool isShared = shared is { IsOpen: true };
        var last = _fromMemory.GetValueOrDefault(key) ?? (isShared && shared!.Sender == _self ? shared.Alert : null);
        if (last is null or { Phase: AlertPhase.Ended })
        {
            // An open row without an alert of this process: another process sent it, and sends its end.
            return local.Alert is not { } begun || (last is null && isShared) || Follows(local, now) ? null
                : begun with { Phase = AlertPhase.Started, Count = 1, Id = begun.Id == last?.Id ? Guid.CreateVersion7(now) : begun.Id };
        }

        return local.IsOpen ? SharedIncidentRules.Reminder(last, last.At, local, now) : SharedIncidentRules.End(last, now);
    }

    private async Task FinishAsync(IIncidentStore rows, CancellationToken cancellationToken)
    {
        bool isChanged;
        do
        {
            await ListAsync(rows, cancellationToken).ConfigureAwait(false);
            isChanged = false;
            foreach (var own in _shared.Values.Where(i => i.Sender == _self && i.SentAt is null).ToList())
                isChanged |= !await SaveAsync(rows, Finished(own), cancellationToken).ConfigureAwait(false);
        }
        while (isChanged);
    }

    private SharedIncident Finished(SharedIncident own)
    {
        bool isSent = _deliveries.Of(own.Key) is { IsSent: true } delivery && own.Is(delivery.Alert);
        return isSent ? own with { SentAt = own.Alert.At } : own with { LeaseUntil = time.GetUtcNow() };
    }

    private HashSet<string> Keys() => [.. _local.Keys, .. _shared.Keys, .. _fromMemory.Keys, .. _deliveries.Keys];

    private void Signal() => _changes.Writer.TryWrite(true);

    [LoggerMessage(561, LogLevel.Warning,
        "The store of incidents fails: each process sends the alerts that it observes itself, until the store works again")]
    private static partial void Fails(ILogger logger, Exception exception);

    [LoggerMessage(562, LogLevel.Information, "The store of incidents works again: each alert is sent by one process")]
    private static partial void SharesAgain(ILogger logger);

    [LoggerMessage(563, LogLevel.Information, "Alert {AlertId} was not sent by the process that had the right to; it is sent by this one")]
    private static partial void TakenOver(ILogger logger, Guid alertId);
}
