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
        /// Has this process send dead letters again when they are due. Any number of processes, on any number of machines, may do so on one store. Needs
        /// <c>AddHttpResilienceStorage</c>.
        /// </summary>
        /// <param name="configure">How many at once. Default: as <see cref="DeadLetterReplayOptions"/> has it.</param>
        /// <returns>The same collection.</returns>
        public IServiceCollection AddDeadLetterReplay(Action<DeadLetterReplayOptions>? configure = null)
        {
            if (services.Any(d => d.ServiceType == typeof(DeadLetterReplay)))
                return services;

            AddSharedParts(services);
            services.AddOptionsWithValidateOnStart<DeadLetterReplayOptions>()
                .Configure(options => configure?.Invoke(options))
                .Validate(o => o.MaxConcurrency is >= 1 and <= 1000, $"{nameof(DeadLetterReplayOptions.MaxConcurrency)} must be from 1 to 1000.")
                .Validate(o => o.MaxConcurrencyPerAuthority is >= 1 and <= 1000, $"{nameof(DeadLetterReplayOptions.MaxConcurrencyPerAuthority)} must be from 1 to 1000.");
            services.AddSingleton(provider => new DeadLetterReplay(
                provider.GetService<IDeadLetterStore>() ?? throw new InvalidOperationException("AddDeadLetterReplay needs durable storage; add " + StorageChoice.HowToAdd),
                provider.GetRequiredService<DeadLetterReplayer>(),
                provider.GetRequiredService<ClientStates>(),
                provider.GetRequiredService<IOptions<DeadLetterReplayOptions>>().Value,
                provider.GetRequiredService<DeadLetterMeter>(),
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<DeadLetterReplay>>()));
            services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<DeadLetterReplay>());
            return services;
        }
    }
}
