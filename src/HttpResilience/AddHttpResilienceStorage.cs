using HttpResilience;
using Microsoft.Extensions.DependencyInjection.Extensions;
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
            services.Replace(ServiceDescriptor.Singleton(builder));
            StorageChoice.AddTo(services, builder);
            InstanceHeartbeat.AddTo(services);

            services.AddOptionsWithValidateOnStart<StorageOptions>();
            services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<StorageOptions>, ValidateStorage>());
            StorageUpkeep.AddTo(services);
            LetterKeyWatch.AddTo(services);
            DeadLetterReview.AddTo(services);
            return services;
        }
    }
}
