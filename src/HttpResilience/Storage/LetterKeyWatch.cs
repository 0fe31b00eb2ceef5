using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace HttpResilience;

/// <summary>
/// Tries at start whether letters can be protected, and makes letters due again whose key was missing and is back: when the host starts,
/// and once a minute. Only processes that replay letters do the latter, because the key is needed there.
/// </summary>
internal sealed partial class LetterKeyWatch(
    IDeadLetterStore store, ILetterProtector? protector, bool replays, Func<bool> protects, TimeProvider time,
    ILogger<LetterKeyWatch> logger) : DetachedWorker
{
    internal static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private bool _isTried;
    private bool _fails;

    internal static void AddTo(IServiceCollection services)
    {
        if (services.Any(d => d.ServiceType == typeof(LetterKeyWatch)))
            return;
        services.AddSingleton(provider => new LetterKeyWatch(
            provider.GetRequiredService<IDeadLetterStore>(), provider.GetService<ILetterProtector>(), InstanceRow.ReplaysIn(provider),
            () => provider.GetService<IResilientClients>() is ResilientClients clients
                && clients.Any(c => c.Policy.ClientDeadLetter?.Protect is true),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetService<ILogger<LetterKeyWatch>>() ?? NullLogger<LetterKeyWatch>.Instance));
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<LetterKeyWatch>());
    }

    protected override async Task WorkAsync(CancellationToken stoppingToken)
    {
        if (protector is null)
            return;
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            try
            {
                TryToProtect();
                if (replays)
                    await ReleaseAsync(stoppingToken).ConfigureAwait(false);
                _fails = false;
            }
            catch (HttpResilienceStorageException)
            {
                // The replay worker reports a store that fails.
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                if (!_fails)
                    KeyRingFails(logger, e, Interval.TotalSeconds);
                _fails = true;
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    // Otherwise the first letter that is lost would show a directory that cannot be written.
    private void TryToProtect()
    {
        if (_isTried || !protects())
            return;
        protector!.Protect([], nameof(LetterKeyWatch), out _);
        _isTried = true;
    }

    private async Task ReleaseAsync(CancellationToken stoppingToken)
    {
        foreach (string keyId in await store.MissingKeysAsync(stoppingToken).ConfigureAwait(false))
        {
            if (!protector!.HasKey(keyId))
                continue;
            int count = await store.ReleaseAsync(keyId, time.GetUtcNow(), stoppingToken).ConfigureAwait(false);
            // Another process may have released them first.
            if (count > 0)
                KeyIsBack(logger, keyId, count);
        }
    }

    [LoggerMessage(557, LogLevel.Information, "Key {KeyId} of protected dead letters is back; {Count} letters are due again")]
    private static partial void KeyIsBack(ILogger logger, string keyId, int count);

    [LoggerMessage(
        559, LogLevel.Error,
        "The key ring of protected dead letters fails: new letters may be lost, and keys that are back are not noticed. Repair it; the "
        + "next attempt is in {Seconds} s")]
    private static partial void KeyRingFails(ILogger logger, Exception exception, double seconds);
}
