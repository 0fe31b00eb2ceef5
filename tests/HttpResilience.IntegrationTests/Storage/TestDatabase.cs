using System.Data.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>A database of one test, and the stores that it opens on it, as an application opens them.</summary>
public abstract class TestDatabase : IAsyncDisposable
{
    private readonly List<ServiceProvider> _opened = [];

    internal LogCollector Log { get; } = new();

    public string ConnectionString { get; protected init; } = "";

    protected abstract void Use(HttpResilienceStorageBuilder storage, string connectionString);

    protected abstract ValueTask DeleteAsync();

    /// <summary>Runs SQL past the stores. The tables are called by their bare names.</summary>
    internal async Task<object?> ScalarAsync(string sql)
    {
        await using var connection = Connect();
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync();
    }

    protected abstract DbConnection Connect();

    /// <summary>Adds the stores as an application does.</summary>
    internal IServiceCollection AddTo(IServiceCollection services) =>
        services.AddHttpResilienceStorage(storage => Use(storage, ConnectionString));

    /// <summary>One more process, so to speak: it shares nothing with the others but the database.</summary>
    internal IHttpResilienceStorage Open(TimeProvider? time = null, string? connectionString = null)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(Log));
        if (time is not null)
            services.AddSingleton(time);
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
