using HttpResilience;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

public static partial class HttpResilienceServiceCollectionExtensions
{
    extension(IServiceCollection services)
    {
        /// <summary>
        /// Makes this process send dead letters again when they are due. Any number of processes, on any number of machines, may do so on
        /// one store. Needs <c>AddHttpResilienceStorage</c>.
        /// </summary>
        /// <param name="configure">
        /// How many letters are sent at once. Default: the defaults of <see cref="DeadLetterReplayOptions"/>.
        /// </param>
        /// <returns>The same collection.</returns>
        public IServiceCollection AddDeadLetterReplay(Action<DeadLetterReplayOptions>? configure = null)
        {
            ArgumentNullException.ThrowIfNull(services);
            if (services.Any(d => d.ServiceType == typeof(DeadLetterReplayWorker)))
                return services;

            AddSharedParts(services);
            services.AddOptionsWithValidateOnStart<DeadLetterReplayOptions>()
                .Configure(options => configure?.Invoke(options))
                .Validate(
                    o => o.MaxConcurrency is >= 1 and <= 1000, $"{nameof(DeadLetterReplayOptions.MaxConcurrency)} must be from 1 to 1000.")
                .Validate(
                    o => o.MaxConcurrencyPerAuthority is >= 1 and <= 1000,
                    $"{nameof(DeadLetterReplayOptions.MaxConcurrencyPerAuthority)} must be from 1 to 1000.");
            services.AddSingleton(provider => new DeadLetterReplayWorker(
                provider.GetService<IDeadLetterStore>()
                    ?? throw new InvalidOperationException("AddDeadLetterReplay needs durable storage; add " + StorageChoice.HowToAdd),
                provider.GetRequiredService<DeadLetterReplayer>(),
                provider.ResilientClients,
                provider.GetRequiredService<IOptions<DeadLetterReplayOptions>>().Value,
                provider.GetRequiredService<DeadLetterMeter>(),
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILoggerFactory>()));
            services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<DeadLetterReplayWorker>());
            LetterJobWorker.AddTo(services);
            return services;
        }
    }
}
