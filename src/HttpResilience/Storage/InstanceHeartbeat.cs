using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace HttpResilience;

/// <summary>
/// Writes the row of this process to the store every 10 seconds, and applies which hosts are held back. Reports dead letters that no live
/// process will replay: from the second time on, when the processes that started together have all written theirs.
/// </summary>
internal sealed partial class InstanceHeartbeat(
    IInstanceStore store, ReplayCoverage coverage, InstanceRow row, CircuitHoldWatch holds, TimeProvider time,
    ILogger<InstanceHeartbeat> logger) : DetachedWorker
{
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan ReminderInterval = TimeSpan.FromHours(1);

    private readonly Dictionary<(string Application, string? ClientName), DateTimeOffset> _reported = [];
    private bool _fails;

    internal static void AddTo(IServiceCollection services)
    {
        if (services.Any(d => d.ServiceType == typeof(InstanceHeartbeat)))
            return;
        services.TryAddSingleton(StorageApplication.Of);
        services.TryAddSingleton(provider => provider.GetRequiredService<IHttpResilienceStorage>().Instances);
        services.AddSingleton(provider => new ReplayCoverage(
            provider.GetRequiredService<IDeadLetterStore>(), provider.GetRequiredService<IInstanceStore>(),
            provider.GetRequiredService<StorageApplication>().Name, InstanceRow.ReplayOf(provider)?.Applications.AsReadOnly(),
            b => provider.GetService<DeadLetterReplayer>() is not { } replayer || !replayer.Knows(b.ClientName)
                || replayer.MaySend(b.ClientName, new(b.Authority)),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new InstanceHeartbeat(
            provider.GetRequiredService<IInstanceStore>(), provider.GetRequiredService<ReplayCoverage>(),
            InstanceRow.Of(provider), provider.GetRequiredService<CircuitHoldWatch>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetService<ILogger<InstanceHeartbeat>>() ?? NullLogger<InstanceHeartbeat>.Instance));
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<InstanceHeartbeat>());
    }

    protected override async Task WorkAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        bool isFirst = true;
        do
        {
            try
            {
                // First, so that the row has the circuits as they are then.
                var failure = await holds.ReadAsync(stoppingToken).ConfigureAwait(false);
                await store.SaveAsync(row.Make(), stoppingToken).ConfigureAwait(false);
                holds.Log(failure, Interval.TotalSeconds);
                if (isFirst && _fails)
                    Usable(logger);
                if (!isFirst)
                    Report(await coverage.FindAsync(stoppingToken).ConfigureAwait(false));
                (isFirst, _fails) = (false, false);
            }
            catch (ObjectDisposedException e) when (e.ObjectName == nameof(IServiceProvider))
            {
                // A container that is disposed without a stop of the host tells its services one after the other, and this one late.
                return;
            }
            catch (Exception e) when (e is HttpResilienceStorageException || !stoppingToken.IsCancellationRequested)
            {
                if (!_fails && isFirst)
                    Unusable(logger, e, Interval.TotalSeconds);
                else if (!_fails)
                    Failed(logger, e, Interval.TotalSeconds);
                _fails = true;
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    private void Report(IReadOnlyList<UnreplayedLetters> found)
    {
        var now = time.GetUtcNow();
        // Letters without any replaying process may be meant for manual review, so only processes that replay letters report them.
        // Event 545 reports those that this process leaves to others.
        found = [.. found.Where(l => l.Authority is null && (l.ClientName is not null || row.Replays))];
        foreach (var letters in found)
        {
            var key = (letters.Application, letters.ClientName);
            if (_reported.TryGetValue(key, out var at) && now - at < ReminderInterval)
                continue;
            if (letters.ClientName is { } client)
                NoClient(logger, NameOf(letters.Application), client, letters.DueAt);
            else
                NoProcess(logger, NameOf(letters.Application), letters.DueAt);
            _reported[key] = now;
        }

        foreach (var key in _reported.Keys.Except(found.Select(l => (l.Application, l.ClientName))).ToList())
        {
            _reported.Remove(key);
            Ended(logger, NameOf(key.Application), key.ClientName ?? "(all)");
        }
    }

    private static string NameOf(string application) => application.Length == 0 ? "(none)" : application;

    [LoggerMessage(
        541, LogLevel.Error,
        "Dead letters of application {Application} are due since {DueAt:u}, and no live process replays them. Give a process with "
        + "AddDeadLetterReplay the same HttpResilience:Storage:Application, or add the name to its DeadLetterReplayOptions.Applications")]
    private static partial void NoProcess(ILogger logger, string application, DateTimeOffset dueAt);

    [LoggerMessage(
        542, LogLevel.Error,
        "Dead letters of application {Application} wait for client {ClientName}, due since {DueAt:u}, and no live process that replays "
        + "them has a client of this name that keeps dead letters. Register it there under this name, or resolve the letters")]
    private static partial void NoClient(ILogger logger, string application, string clientName, DateTimeOffset dueAt);

    [LoggerMessage(
        543, LogLevel.Information,
        "Dead letters of application {Application}, client {ClientName}, are replayed again or settled")]
    private static partial void Ended(ILogger logger, string application, string clientName);

    [LoggerMessage(
        544, LogLevel.Warning,
        "The store does not show that this process runs: others may report that letters are not replayed. Retried every {Seconds} s")]
    private static partial void Failed(ILogger logger, Exception exception, double seconds);

    [LoggerMessage(
        572, LogLevel.Error,
        "The durable store cannot be used since the start of this process: until it can, requests that finally fail are lost, and calls "
        + "are not remembered. Retried every {Seconds} s")]
    private static partial void Unusable(ILogger logger, Exception exception, double seconds);

    [LoggerMessage(573, LogLevel.Information, "The durable store can be used now")]
    private static partial void Usable(ILogger logger);
}
