using System.Data.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>The database of one test, and the stores that the test opens on it like an application.</summary>
public abstract class TestDatabase : IAsyncDisposable
{
    private readonly List<ServiceProvider> _opened = [];

    internal LogCollector Log { get; } = new();

    public string ConnectionString { get; protected init; } = "";

    protected abstract void Use(HttpResilienceStorageBuilder storage, string connectionString);

    protected abstract ValueTask DeleteAsync();

    /// <summary>Runs SQL directly, not through the stores. Tables have no schema prefix.</summary>
    internal async Task<object?> ScalarAsync(string sql)
    {
        await using var connection = Connect();
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync();
    }

    protected abstract DbConnection Connect();

    /// <summary>Registers the stores like an application.</summary>
    internal IServiceCollection AddTo(IServiceCollection services, Action<HttpResilienceStorageBuilder>? configure = null) =>
        services.AddHttpResilienceStorage(storage =>
        {
            Use(storage, ConnectionString);
            configure?.Invoke(storage);
        });

    /// <summary>Opens the database like one more process, which shares only the database with the others.</summary>
    /// <param name="application">Default: the name of the test program.</param>
    internal IHttpResilienceStorage Open(TimeProvider? time = null, string? connectionString = null, string? application = null)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(Log));
        if (time is not null)
            services.AddSingleton(time);
        if (application is not null)
            services.AddSingleton(new StorageApplication(application));
        services.AddHttpResilienceStorage(storage => Use(storage, connectionString ?? ConnectionString));
        var provider = services.BuildServiceProvider();
        _opened.Add(provider);
        return provider.GetRequiredService<IHttpResilienceStorage>();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var provider in _opened)
            await provider.DisposeAsync();
        await DeleteAsync();
        GC.SuppressFinalize(this);
    }
}
