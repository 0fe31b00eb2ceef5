using HttpResilience;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.Extensions.DependencyInjection;

public static partial class HttpResilienceServiceCollectionExtensions
{
    extension(IServiceCollection services)
    {
        /// <summary>
        /// Adds the health check <c>http-resilience</c>. Degraded: a circuit is not closed, or an error budget is used up or burns too fast. Unhealthy: an integration is paused,
        /// or the durable store does not answer within 5 seconds. Its data has, by client, the circuits of its hosts, the error budget and the pause.
        /// </summary>
        /// <returns>The builder of health checks.</returns>
        public IHealthChecksBuilder AddHttpResilienceHealthChecks()
        {
            var checks = services.AddHealthChecks();
            if (services.Any(d => d.ServiceType == typeof(ResilienceHealthCheck)))
                return checks;

            AddSharedParts(services);
            services.AddSingleton(provider => new ResilienceHealthCheck(
                provider.GetRequiredService<IResilientClients>(), provider.GetService<IDeadLetterStore>(), provider.GetRequiredService<TimeProvider>()));
            return checks.Add(new HealthCheckRegistration(
                ResilienceHealthCheck.Name, provider => provider.GetRequiredService<ResilienceHealthCheck>(), failureStatus: null, tags: null));
        }
    }
}
