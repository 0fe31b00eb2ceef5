using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Storage;

/// <summary>
/// Selects the durable store: <c>UseSqlite</c> of the package HttpResilience.Sqlite, <c>UsePostgreSql</c> of HttpResilience.PostgreSql.
/// </summary>
public sealed class HttpResilienceStorageBuilder
{
    private readonly Dictionary<string, HttpResilienceStorageProvider> _providers = new(StringComparer.OrdinalIgnoreCase);

    internal HttpResilienceStorageBuilder(IServiceCollection services) => Services = services;

    /// <summary>The collection to which storage is added.</summary>
    public IServiceCollection Services { get; }

    internal IReadOnlyDictionary<string, HttpResilienceStorageProvider> Providers => _providers;

    /// <summary>
    /// Registers a store, for packages that contain one. With several, <c>HttpResilience:Storage:Provider</c> selects the one that is used.
    /// </summary>
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
/// <param name="ConnectionString">The connection string from code; null to read <c>HttpResilience:Storage:ConnectionString</c>.</param>
/// <param name="Open">
/// Creates the store, once for the container, which disposes it. It must not fail because the database cannot be reached: the operations of
/// the store report that.
/// </param>
public sealed record HttpResilienceStorageProvider(
    string Name, string? ConnectionString, Func<IServiceProvider, string, IHttpResilienceStorage> Open);

/// <summary>
/// The stores of one database. A container that is disposed of synchronously waits for <see cref="IAsyncDisposable.DisposeAsync"/>.
/// </summary>
public interface IHttpResilienceStorage : IAsyncDisposable, IDisposable
{
    void IDisposable.Dispose()
    {
        DisposeAsync().AsTask().GetAwaiter().GetResult();
        GC.SuppressFinalize(this);
    }

    /// <summary>The dead letters.</summary>
    IDeadLetterStore DeadLetters { get; }

    /// <summary>The remembered calls.</summary>
    IIdempotencyStore IdempotencyKeys { get; }

    /// <summary>The last good responses, for calls that fail.</summary>
    IFallbackStore Fallbacks { get; }

    /// <summary>The progress of batches.</summary>
    ICheckpointStore Checkpoints { get; }

    /// <summary>The counts of error budgets.</summary>
    IErrorBudgetStore ErrorBudgets { get; }

    /// <summary>The processes that use it.</summary>
    IInstanceStore Instances { get; }

    /// <summary>The incidents about which alerts are sent.</summary>
    IIncidentStore Incidents { get; }

    /// <summary>The jobs that change many letters.</summary>
    ILetterJobStore Jobs { get; }

    /// <summary>What people did.</summary>
    IOperatorActivityStore Activity { get; }

    /// <summary>The hosts that are held back on all instances.</summary>
    ICircuitHoldStore CircuitHolds { get; }
}
