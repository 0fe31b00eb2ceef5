using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace HttpResilience;

/// <summary>
/// Makes letters due again whose key was missing and is back: when the host starts, and once a minute. It runs in processes that replay
/// letters, because the key is needed there.
/// </summary>
internal sealed partial class LetterKeyWatch(
    IDeadLetterStore store, ILetterProtector? protector, TimeProvider time, ILogger<LetterKeyWatch> logger) : DetachedWorker
{
    internal static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    internal static void AddTo(IServiceCollection services) => services.AddSingleton<IHostedService>(provider => new LetterKeyWatch(
        provider.GetRequiredService<IDeadLetterStore>(), provider.GetService<ILetterProtector>(),
        provider.GetRequiredService<TimeProvider>(),
        provider.GetService<ILogger<LetterKeyWatch>>() ?? NullLogger<LetterKeyWatch>.Instance));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (protector is null)
            return;
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            try
            {
                foreach (string keyId in await store.MissingKeysAsync(stoppingToken).ConfigureAwait(false))
                {
                    if (!protector.HasKey(keyId))
                        continue;
                    int count = await store.ReleaseAsync(keyId, time.GetUtcNow(), stoppingToken).ConfigureAwait(false);
                    KeyIsBack(logger, keyId, count);
                }
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                KeysNotChecked(logger, e, Interval.TotalSeconds);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    [LoggerMessage(557, LogLevel.Information, "Key {KeyId} of protected dead letters is back; {Count} letters are due again")]
    private static partial void KeyIsBack(ILogger logger, string keyId, int count);

    [LoggerMessage(
        559, LogLevel.Warning,
        "The missing keys of protected dead letters could not be looked for; the next attempt is in {Seconds} s")]
    private static partial void KeysNotChecked(ILogger logger, Exception exception, double seconds);
}
