using Microsoft.Extensions.Logging;

namespace HttpResilience.Operations;

/// <summary>
/// Evaluates the rules for calls, letters, batches and budgets while the host runs: a host at once when a call to it fails or a row of
/// failures ends, and everything every 10 s.
/// </summary>
internal sealed partial class AlertEvaluator(
    AlertQueue feed, AlertSettings settings, AlertSources sources, BatchCadences batches, AlertSinks sinks, Deployment deployment,
        IncidentSharing sharing, TimeProvider time, ILogger logger) : DetachedWorker
{
    internal const string LogCategory = AlertLog.LogCategory;

    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(5);

    private readonly IncidentTracker _book = new();
    private AlertPolicy? _applied;
    private ITimer? _timer;

    private AlertPolicy Policy => settings.Policy;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        Begin();
        return base.StartAsync(cancellationToken);
    }

    /// <summary>Starts to fill the queue, without evaluating it.</summary>
    internal void Begin()
    {
        Apply(Policy);
        batches.IsOn = true;
        // Set after it is made: a clock that skips waits must not take it for one.
        using (AmbientContext.Suppress())
        {
            _timer = time.CreateTimer(
                static feed => ((AlertQueue)feed!).Tick(), feed, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        _timer.Change(PollInterval, PollInterval);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        End();
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        using var timeout = new CancellationTokenSource(ShutdownTimeout, TimeProvider.System);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        await sinks.StopAsync(both.Token).ConfigureAwait(false);
    }

    /// <summary>Also for a host that was never stopped: releases everything that it holds.</summary>
    public override void Dispose()
    {
        End();
        base.Dispose();
    }

    private void End()
    {
        feed.IsOn = false;
        batches.IsOn = false;
        _timer?.Dispose();
    }

    protected override async Task WorkAsync(CancellationToken stoppingToken)
    {
        while (await feed.List.WaitToReadAsync(stoppingToken).ConfigureAwait(false))
            LookAtList();
    }

    /// <summary>Evaluates the queued hosts.</summary>
    internal void LookAtList()
    {
        while (feed.List.TryRead(out var host))
        {
            try
            {
                if (host is not null)
                    Look(host);
                else
                    LookAtAll();
            }
            catch (Exception e)
            {
                // The next evaluation may succeed; if the loop ended, there would be no alerts at all.
                LookFailed(logger, e);
            }
        }
    }

    private void Look(HostFailureTracker host)
    {
        host.Delist();
        if (Policy.IsOn)
            LookAt(host, Policy, Now());
    }

    private void LookAtAll()
    {
        feed.Ticked();
        var policy = Policy;
        if (policy != _applied)
            Apply(policy);
        if (!policy.IsOn)
            return;

        var now = Now();
        HashSet<IncidentKey> seen = [];
        foreach (var host in sources.Hosts())
        {
            host.Forget(now.Uptime - policy.MaxWindow);
            seen.UnionWith(LookAt(host, policy, now));
        }

        sources.CountLetters();
        foreach (var (key, findings) in sources.Find(policy, now.Uptime, _book.Holds))
        {
            seen.Add(key);
            Update(key, findings, now);
        }

        // Their host was evicted or their rule was removed.
        IncidentKey[] gone = [.. _book.Keys.Where(k => !seen.Contains(k))];
        foreach (var key in gone)
            Update(key, [], now);
    }

    private IEnumerable<IncidentKey> LookAt(HostFailureTracker host, AlertPolicy policy, AlertTime now)
    {
        var found = new HostAlerts(_book).Look(host, policy.Rules, now.Uptime);
        foreach (var (key, findings) in found)
            Update(key, findings, now);
        return found.Select(f => f.Key);
    }

    private void Update(IncidentKey key, IReadOnlyList<RuleMatch> findings, AlertTime now)
    {
        bool wasOpen = _book.IsOpen(key);
        var alert = _book.Update(key, findings, now, deployment.Version);
        bool isOpen = _book.IsOpen(key);
        if (wasOpen || isOpen)
            sharing.Report(key, alert, isOpen, _book.CoolDownOf(key));
    }

    private void Apply(AlertPolicy policy)
    {
        _applied = policy;
        feed.Memory = policy.MaxMemory;
        feed.IsOn = policy.IsOn;
        sinks.Use(policy);
    }

    private AlertTime Now() => new(feed.Now, time.GetUtcNow());

    [LoggerMessage(710, LogLevel.Error, "Alerts could not be looked after this time; the next time is in 10 s at the latest")]
    private static partial void LookFailed(ILogger logger, Exception exception);
}
