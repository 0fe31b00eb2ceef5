using Microsoft.Extensions.Logging;

namespace HttpResilience.Operations;

/// <summary>
/// Synchronises the error budgets with the store: loads earlier counts, adds new ones, and exchanges pauses in both directions. A failing
/// store delays no call; unsaved counts are saved later. Without a store it only logs the running version.
/// </summary>
internal sealed partial class ErrorBudgetKeeper(
    IErrorBudgetStore? store, IDeadLetterStore? letters, ErrorBudgetObserver budgets, Deployment deployment, TimeProvider time,
    ILogger logger) : DetachedWorker
{
    internal const string LogCategory = "HttpResilience.ErrorBudgetKeeper";

    internal static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(10);

    // The host waits for this service when it starts and stops.
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private readonly BudgetPauseStore? _pauses = store is null ? null : new(store, letters);
    private readonly Guid _writer = Guid.CreateVersion7();
    private readonly HashSet<ErrorBudget> _loaded = [];
    private ErrorBudgetUpdate? _unsure;
    private long _sequence;
    private bool _isAnnounced;
    private bool _fails;

    /// <summary>Waits up to 2 s for the pauses in the store, so that they hold for calls made while the host starts.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (store is not null)
        {
            using var timeout = new CancellationTokenSource(StartTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
            try
            {
                budgets.Adopt(await store.PausesAsync(either.Token).WaitAsync(either.Token).ConfigureAwait(false));
            }
            catch (Exception) when (!cancellationToken.IsCancellationRequested)
            {
                // Logged and retried as soon as the service runs.
            }
        }

        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        if (store is null)
            return;
        using var timeout = new CancellationTokenSource(StopTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await SavePausesAsync(await store.PausesAsync(either.Token).ConfigureAwait(false), either.Token).ConfigureAwait(false);
            await SaveAsync(store, budgets.All, either.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Lost(logger, e);
        }
    }

    protected override async Task WorkAsync(CancellationToken stoppingToken)
    {
        if (store is null)
            FirstDeployed(logger, deployment.Version);
        while (store is not null && !stoppingToken.IsCancellationRequested)
        {
            var added = budgets.Added;
            try
            {
                await KeepAsync(store, stoppingToken).ConfigureAwait(false);
                if (_fails)
                    Works(logger);
                _fails = false;
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                if (!_fails)
                    Fails(logger, e, SaveEvery.TotalSeconds);
                _fails = true;
            }

            // The counts of a new client are loaded at once.
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            await Task.WhenAny(Task.Delay(SaveEvery, time, enough.Token), added).ConfigureAwait(false);
            await enough.CancelAsync().ConfigureAwait(false);
        }
    }

    private async Task KeepAsync(IErrorBudgetStore kept, CancellationToken cancellationToken)
    {
        if (!_isAnnounced)
        {
            deployment.Learn(await kept.StartedAsync(deployment.Version, time.GetUtcNow(), cancellationToken).ConfigureAwait(false));
            _isAnnounced = true;
            if (deployment is { Before: { } before, Since: { } since })
                Deployed(logger, deployment.Version, since, before.Version, before.FirstSeenAt);
            else
                FirstDeployed(logger, deployment.Version);
        }

        var pauses = await kept.PausesAsync(cancellationToken).ConfigureAwait(false);
        budgets.Adopt(pauses);
        await SavePausesAsync(pauses, cancellationToken).ConfigureAwait(false);

        foreach (var budget in budgets.All.Where(b => !_loaded.Contains(b)).ToList())
        {
            var counts = await kept.LoadAsync(budget.ClientName, time.GetUtcNow() - RollingCounts.Length, cancellationToken)
                .ConfigureAwait(false);
            budget.Load(counts, deployment.Version);
            _loaded.Add(budget);
        }

        // Saved after loading: else this process's own counts would be loaded again and count twice.
        await SaveAsync(kept, _loaded, cancellationToken).ConfigureAwait(false);
    }

    private async Task SavePausesAsync(IReadOnlyList<ErrorBudgetPause> pauses, CancellationToken cancellationToken)
    {
        foreach (var budget in budgets.All)
        {
            if (budget.Pause.Change is { } change && !(pauses.FirstOrDefault(p => p.ClientName == budget.ClientName)?.At >= change.At))
                await _pauses!.SaveAsync(budget.Pause, change, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task SaveAsync(IErrorBudgetStore kept, IEnumerable<ErrorBudget> whose, CancellationToken cancellationToken)
    {
        // The last update may have been added; the store adds it only once.
        if (_unsure is not null)
            await AddAsync(kept, _unsure, cancellationToken).ConfigureAwait(false);
        List<ErrorBudgetCount> counts = [.. whose.SelectMany(c => c.TakeUnsaved(deployment.Version))];
        if (counts.Count > 0)
            await AddAsync(kept, new(_writer, ++_sequence, time.GetUtcNow(), counts), cancellationToken).ConfigureAwait(false);
    }

    private async Task AddAsync(IErrorBudgetStore kept, ErrorBudgetUpdate update, CancellationToken cancellationToken)
    {
        _unsure = update;
        await kept.AddAsync(update, cancellationToken).ConfigureAwait(false);
        _unsure = null;
    }

    [LoggerMessage(606, LogLevel.Warning,
        "Error budget counts and pauses cannot be stored; retried every {Seconds} s. Nothing is lost while the process runs")]
    private static partial void Fails(ILogger logger, Exception exception, double seconds);

    [LoggerMessage(607, LogLevel.Information, "Error budget counts and pauses are stored again")]
    private static partial void Works(ILogger logger);

    [LoggerMessage(608, LogLevel.Warning, "The last error budget counts could not be stored")]
    private static partial void Lost(ILogger logger, Exception exception);

    [LoggerMessage(609, LogLevel.Information,
        "Deployment: version {Version} since {Since:u}, before it {VersionBefore} since {SinceBefore:u}")]
    private static partial void Deployed(ILogger logger, string version, DateTimeOffset since, string versionBefore,
        DateTimeOffset sinceBefore);

    [LoggerMessage(610, LogLevel.Information, "Deployment: version {Version}, no earlier one is known")]
    private static partial void FirstDeployed(ILogger logger, string version);
}
