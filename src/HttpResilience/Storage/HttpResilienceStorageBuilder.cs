using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Storage;

/// <summary>Where the store is chosen: <c>UseSqlite</c> and <c>UsePostgreSql</c> of the packages HttpResilience.Sqlite and HttpResilience.PostgreSql.</summary>
public sealed class HttpResilienceStorageBuilder
{
    private readonly Dictionary<string, HttpResilienceStorageProvider> _providers = new(StringComparer.OrdinalIgnoreCase);

    internal HttpResilienceStorageBuilder(IServiceCollection services) => Services = services;

    /// <summary>The container that the stores go to.</summary>
    public IServiceCollection Services { get; }

    internal IReadOnlyDictionary<string, HttpResilienceStorageProvider> Providers => _providers;

    /// <summary>For packages that bring a store: offers it. With several, <c>HttpResilience:Storage:Provider</c> says which one is used.</summary>
    /// <param name="provider">The store.</param>
    /// <returns>The same builder.</returns>
    public HttpResilienceStorageBuilder Use(HttpResilienceStorageProvider provider)
    {
        ArgumentNullException.ThrowIfNull(provider);
        _providers[provider.Name] = provider;
        return this;
    }
}

/// <summary>A kind of durable store.</summary>
/// <param name="Name">Its name in <c>HttpResilience:Storage:Provider</c>.</param>
/// <param name="ConnectionString">What code said; null to take <c>HttpResilience:Storage:ConnectionString</c>.</param>
/// <param name="Open">Makes the store, once for the container, which disposes it. It must not fail because the database cannot be reached: that is told by what is asked of the store.</param>
public sealed record HttpResilienceStorageProvider(string Name, string? ConnectionString, Func<IServiceProvider, string, IHttpResilienceStorage> Open);

/// <summary>All that a durable store keeps, in one database.</summary>
public interface IHttpResilienceStorage : IAsyncDisposable
{
    /// <summary>The dead letters.</summary>
    IDeadLetterStore DeadLetters { get; }

    /// <summary>The remembered calls.</summary>
    IIdempotencyStore IdempotencyKeys { get; }

    /// <summary>The responses that stand in for those that an API cannot give.</summary>
    IFallbackStore Fallbacks { get; }

    /// <summary>How far batches are.</summary>
    ICheckpointStore Checkpoints { get; }

    /// <summary>What error budgets have counted.</summary>
    IErrorBudgetStore ErrorBudgets { get; }
}
