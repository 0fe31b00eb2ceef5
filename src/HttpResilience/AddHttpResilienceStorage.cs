using HttpResilience;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

public static partial class HttpResilienceServiceCollectionExtensions
{
    extension(IServiceCollection services)
    {
        /// <summary>
        /// Adds durable storage: <c>storage => storage.UseSqlite("Data Source=resilience.db")</c>. Where code does not set them,
        /// <c>Provider</c> and <c>ConnectionString</c> are read from the section <c>HttpResilience:Storage</c>; <c>Application</c> there is
        /// the name by which programs that share a store tell their rows apart. The last call wins.
        /// </summary>
        /// <param name="configure">Adds the store, or several, of which the configuration selects one.</param>
        /// <returns>The same collection.</returns>
        /// <exception cref="ArgumentException"><paramref name="configure"/> adds no store.</exception>
        public IServiceCollection AddHttpResilienceStorage(Action<HttpResilienceStorageBuilder> configure)
        {
            ArgumentNullException.ThrowIfNull(services);
            ArgumentNullException.ThrowIfNull(configure);
            var builder = new HttpResilienceStorageBuilder(services);
            configure(builder);
            if (builder.Providers.Count == 0)
                throw new ArgumentException(
                    "No store was named: call UseSqlite (package HttpResilience.Sqlite) "
                    + "or UsePostgreSql (package HttpResilience.PostgreSql).",
                    nameof(configure));

            services.TryAddSingleton(TimeProvider.System);
            services.TryAddSingleton(StorageApplication.Of);
            services.Replace(ServiceDescriptor.Singleton(builder));
            services.Replace(ServiceDescriptor.Singleton(
                provider => StorageChoice.From(builder, provider.GetService<IConfiguration>()).Open(provider)));
            services.TryAddSingleton(provider => provider.GetRequiredService<IHttpResilienceStorage>().DeadLetters);
            services.TryAddSingleton(provider => provider.GetRequiredService<IHttpResilienceStorage>().IdempotencyKeys);
            services.TryAddSingleton(provider => provider.GetRequiredService<IHttpResilienceStorage>().Fallbacks);
            services.TryAddSingleton(provider => provider.GetRequiredService<IHttpResilienceStorage>().Checkpoints);
            services.TryAddSingleton(provider => provider.GetRequiredService<IHttpResilienceStorage>().ErrorBudgets);

            services.TryAddSingleton(provider => provider.GetRequiredService<IHttpResilienceStorage>().Instances);
            services.TryAddSingleton(provider => new ReplayCoverage(
                provider.GetRequiredService<IDeadLetterStore>(), provider.GetRequiredService<IInstanceStore>(),
                provider.GetRequiredService<StorageApplication>(), Replays(provider), provider.GetRequiredService<TimeProvider>()));

            services.AddOptionsWithValidateOnStart<StorageOptions>();
            services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<StorageOptions>, ValidateStorage>());
            services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, StorageUpkeep>());
            if (!services.Any(d => d.ServiceType == typeof(InstanceHeartbeat)))
            {
                services.AddSingleton(HeartbeatOf);
                services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<InstanceHeartbeat>());
            }

            services.TryAddSingleton<IDeadLetterReview>(provider => new DeadLetterReview(
                provider.GetRequiredService<IDeadLetterStore>(),
                provider.GetService<DeadLetterReplayer>,
                provider.GetRequiredService<ReplayCoverage>(),
                provider.GetRequiredService<TimeProvider>()));
            return services;
        }
    }

    private static bool Replays(IServiceProvider provider) =>
        provider.GetRequiredService<IServiceProviderIsService>().IsService(typeof(DeadLetterReplayWorker));

    // A process without clients may have storage, for the review.
    private static InstanceHeartbeat HeartbeatOf(IServiceProvider provider) => new(
        provider.GetRequiredService<IInstanceStore>(), provider.GetRequiredService<ReplayCoverage>(),
        provider.GetRequiredService<StorageApplication>(),
        Replays(provider) ? provider.GetRequiredService<IOptions<DeadLetterReplayOptions>>().Value : null,
        () => provider.GetService<IResilientClients>() is ResilientClients clients
            ? clients.Where(c => c.Policy.DeadLetter is not null).Select(c => c.Name).Distinct() : [],
        provider.GetRequiredService<TimeProvider>(),
        provider.GetService<ILogger<InstanceHeartbeat>>() ?? NullLogger<InstanceHeartbeat>.Instance);
}
