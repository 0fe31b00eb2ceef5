using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Testing;

/// <summary>Registers in-memory storage, for tests.</summary>
public static class InMemoryStorageExtensions
{
    extension(HttpResilienceStorageBuilder storage)
    {
        /// <summary>Stores all data in memory, for tests; it is lost when the process ends.</summary>
        /// <param name="data">The data to use. Null gives the container its own store. Default: null.</param>
        /// <returns>The same builder.</returns>
        public HttpResilienceStorageBuilder UseInMemory(InMemoryStorage? data = null)
        {
            ArgumentNullException.ThrowIfNull(storage);
            data ??= new();
            return storage.Use(new("InMemory", "Data Source=:memory:",
                (services, _) => data.Connect(
                    new(services.GetRequiredService<StorageApplication>().Name),
                    services.GetService<TimeProvider>() ?? TimeProvider.System)));
        }
    }
}
