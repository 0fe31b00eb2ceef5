using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>A stage of the chain.</summary>
/// <param name="IsOn">Whether the chain of a client with this policy has the stage.</param>
/// <param name="Create">Makes the handler of the stage.</param>
internal sealed record Stage(Func<ResiliencePolicy, bool> IsOn, Func<StageServices, DelegatingHandler> Create);

/// <summary>The dependencies of the handlers of a client's chain.</summary>
/// <param name="services">The services of the handlers' scope.</param>
internal sealed class StageServices(Client client, IServiceProvider services)
{
    internal Client Client => client;

    internal AttemptClassifier Classifier => client.Get<AttemptClassifier>()!;

    internal RegisteredExtensions Extensions => client.Get<RegisteredExtensions>()!;

    internal ResilienceMeter Meter => Get<ResilienceMeter>();

    internal ObservedLimits Observed => new(client, Meter, Logger<ObservedLimits>());

    internal HostLimits Limits => new(Observed);

    internal T Get<T>()
        where T : notnull => services.GetRequiredService<T>();

    internal bool Has<T>() => services.GetService<T>() is not null;

    internal ILogger<T> Logger<T>() => services.LoggerFor<T>(client.Name);
}
