using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Testing;

/// <summary>Storage in memory, for tests.</summary>
public static class InMemoryStorageExtensions
{
    extension(HttpResilienceStorageBuilder storage)
    {
        /// <summary>Stores everything in memory, for tests: all of it is lost when the process ends.</summary>
        /// <param name="data">What to use. Null gives the container a store of its own. Default: null.</param>
        /// <returns>The same builder.</returns>
        public HttpResilienceStorageBuilder UseInMemory(InMemoryStorage? data = null)
        {
            ArgumentNullException.ThrowIfNull(storage);
            data ??= new();
            return storage.Use(new("InMemory", "Data Source=:memory:",
                (services, _) => data.Connect(services.GetService<TimeProvider>() ?? TimeProvider.System)));
        }
    }
}
