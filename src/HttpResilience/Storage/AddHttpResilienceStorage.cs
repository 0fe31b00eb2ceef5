using HttpResilience;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

public static partial class HttpResilienceServiceCollectionExtensions
{
    extension(IServiceCollection services)
    {
        /// <summary>
        /// Adds durable storage: <c>storage => storage.UseSqlite("Data Source=resilience.db")</c>. What code leaves open is read from <c>HttpResilience:Storage</c>
        /// (<c>Provider</c>, <c>ConnectionString</c>).
        /// </summary>
        /// <param name="configure">Names the store, or several of which the configuration picks one.</param>
        /// <returns>The same collection.</returns>
        /// <exception cref="ArgumentException">No store was named.</exception>
        public IServiceCollection AddHttpResilienceStorage(Action<HttpResilienceStorageBuilder> configure)
        {
            ArgumentNullException.ThrowIfNull(configure);
            var builder = new HttpResilienceStorageBuilder(services);
            configure(builder);
            if (builder.Providers.Count == 0)
                throw new ArgumentException("No store was named: call UseSqlite (package HttpResilience.Sqlite) or UsePostgreSql (package HttpResilience.PostgreSql).", nameof(configure));

            services.TryAddSingleton(TimeProvider.System);
            services.Replace(ServiceDescriptor.Singleton(provider =>
                StorageChoice.From(builder.Providers, provider.GetService<IConfiguration>()?.GetSection(StorageChoice.Section))
                    .Open(provider)));
            services.Replace(ServiceDescriptor.Singleton<IValidateOptions<StorageOptions>>(provider =>
                new ValidateStorage(builder.Providers, provider.GetService<IConfiguration>()?.GetSection(StorageChoice.Section))));
            services.AddOptionsWithValidateOnStart<StorageOptions>();
            services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, StorageUpkeep>(provider =>
                new(provider.GetRequiredService<IIdempotencyStore>(), provider.GetRequiredService<IFallbackStore>(), provider.GetRequiredService<IErrorBudgetStore>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<StorageUpkeep>>())));
            services.TryAddSingleton(provider => provider.GetRequiredService<IHttpResilienceStorage>().DeadLetters);
            services.TryAddSingleton(provider => provider.GetRequiredService<IHttpResilienceStorage>().IdempotencyKeys);
            services.TryAddSingleton(provider => provider.GetRequiredService<IHttpResilienceStorage>().Fallbacks);
            services.TryAddSingleton(provider => provider.GetRequiredService<IHttpResilienceStorage>().Checkpoints);
            services.TryAddSingleton(provider => provider.GetRequiredService<IHttpResilienceStorage>().ErrorBudgets);
            services.TryAddSingleton<IDeadLetterReview>(provider => new DeadLetterReview(
                provider.GetRequiredService<IDeadLetterStore>(), provider.GetService<DeadLetterReplayer>, provider.GetRequiredService<TimeProvider>()));
            return services;
        }
    }
}
