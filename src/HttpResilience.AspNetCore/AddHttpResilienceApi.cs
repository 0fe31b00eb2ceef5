using HttpResilience.AspNetCore;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds what the JSON API for operators needs.</summary>
public static class HttpResilienceApiServiceCollectionExtensions
{
    extension(IServiceCollection services)
    {
        /// <summary>
        /// Adds what <c>app.MapHttpResilienceApi()</c> needs. Called again, it applies one more <paramref name="configure"/>.
        /// </summary>
        /// <param name="configure">Sets the options. Default: every change is refused.</param>
        /// <returns>The same collection.</returns>
        public IServiceCollection AddHttpResilienceApi(Action<HttpResilienceApiOptions>? configure = null)
        {
            services.AddOptions<HttpResilienceApiOptions>();
            if (configure is not null)
                services.Configure(configure);
            services.TryAddSingleton<AccessGuard>();
            services.TryAddSingleton<ApiPipeline>();
            return services;
        }
    }
}
