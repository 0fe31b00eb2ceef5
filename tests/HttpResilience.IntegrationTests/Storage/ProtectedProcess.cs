using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>A process that protects its letters with a key ring in a directory.</summary>
internal sealed class ProtectedProcess : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    internal ProtectedProcess(TestDatabase database, string? ring, string application = "tests", TimeProvider? time = null)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(Log));
        if (time is not null)
            services.AddSingleton(time);
        database.AddTo(services, ring is null ? null : storage => storage.ProtectWithDataProtection());
        if (ring is not null)
            services.AddDataProtection().SetApplicationName(application).PersistKeysToFileSystem(new(ring));
        _services = services.BuildServiceProvider();
    }

    internal LogCollector Log { get; } = new();

    internal IDeadLetterStore Letters => _services.GetRequiredService<IDeadLetterStore>();

    /// <summary>The letters as the store holds them.</summary>
    internal IDeadLetterStore Stored => _services.GetRequiredService<IHttpResilienceStorage>().DeadLetters;

    internal ILetterProtector Protector => _services.GetRequiredService<ILetterProtector>();

    internal IKeyManager Keys => _services.GetRequiredService<IKeyManager>();

    internal IDeadLetterReview Review => _services.GetRequiredService<IDeadLetterReview>();

    /// <summary>Looks once for keys that are back, as a process does when it starts.</summary>
    internal async Task LookForKeysAsync(Func<bool> until)
    {
        using var watch = new LetterKeyWatch(
            Letters, Protector, replays: true, () => true, TimeProvider.System, _services.GetRequiredService<ILogger<LetterKeyWatch>>());
        await watch.StartAsync(CancellationToken.None);
        while (!until())
            await Task.Delay(5);
        await watch.StopAsync(CancellationToken.None);
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
