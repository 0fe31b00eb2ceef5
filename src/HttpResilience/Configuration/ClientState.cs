using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace HttpResilience;

/// <summary>
/// What belongs to a named client and outlives its handlers, which the factory replaces every two minutes: the policy in force and the circuits.
/// A reload swaps the policy and leaves the rest alone.
/// </summary>
internal sealed partial class ClientState : IDisposable
{
    private readonly IOptionsFactory<HttpResilienceOptions> _options;
    private readonly ILogger<ClientState> _logger;
    private readonly IDisposable? _reload;
    private volatile ResiliencePolicy _policy;

    internal ClientState(
        string name, IOptionsFactory<HttpResilienceOptions> options, IConfiguration? configuration, TimeProvider time, ILogger<ClientState> logger)
    {
        Name = name;
        Time = time;
        Timers = new(time);
        _options = options;
        _logger = logger;
        _policy = new(options.Create(name), time);
        AnnounceGround();
        if (configuration is not null)
            _reload = ChangeToken.OnChange(configuration.GetReloadToken, Reload);
    }

    internal string Name { get; }

    internal TimeProvider Time { get; }

    internal ResiliencePolicy Policy => _policy;

    internal CircuitCollection Circuits { get; } = new();

    internal AttemptTimers Timers { get; }

    /// <summary>Where jitter comes from.</summary>
    internal Random Random { get; init; } = Random.Shared;

    /// <summary>What <see cref="HttpClient.MaxResponseContentBufferSize"/> is, for bodies that the chain reads.</summary>
    internal long MaxResponseContentBufferSize { get; set; } = int.MaxValue;

    internal static ClientState Create(IServiceProvider services, string name) => new(
        name,
        services.GetRequiredService<IOptionsFactory<HttpResilienceOptions>>(),
        services.GetService<IConfiguration>(),
        services.GetService<TimeProvider>() ?? TimeProvider.System,
        services.GetRequiredService<ILogger<ClientState>>());

    internal AttemptResult Classify(HttpResponseMessage response, HttpCall call) => (int)response.StatusCode < 400
        ? AttemptResult.Success((int)response.StatusCode)
        : FailureClassifier.Classify(response, call.IdempotencyKey is not null, Time.GetUtcNow());

    public void Dispose() => _reload?.Dispose();

    private void Reload()
    {
        try
        {
            _policy = new(_options.Create(Name), Time);
            Reloaded(_logger, Name);
        }
        catch (Exception e)
        {
            // Whatever the application's own code throws here would end the reading of the configuration for everybody else.
            ReloadRejected(_logger, Name, e is OptionsValidationException { Failures: var failures } ? string.Join(" ", failures) : e.Message);
        }
    }

    // Nothing on the wire says whether an API honours keys: the reader of the log shall know what the chain relies on.
    private void AnnounceGround()
    {
        string ground = (_policy.Retry.UnsafeMethods, _policy.Idempotency) switch
        {
            (UnsafeMethods.Always, _) => "always",
            (UnsafeMethods.Never, _) or (_, null) => "only when they were not sent or not processed",
            (_, { } keys) => $"because {string.Join(" and ", keys.Methods)} carry {keys.HeaderName}, which the API must honour",
        };
        UnsafeCalls(_logger, Name, ground);
    }

    [LoggerMessage(401, LogLevel.Information, "{ClientName}: calls that are not idempotent are repeated {Ground}")]
    private static partial void UnsafeCalls(ILogger logger, string clientName, string ground);

    [LoggerMessage(402, LogLevel.Debug, "{ClientName}: the configuration was read again")]
    private static partial void Reloaded(ILogger logger, string clientName);

    [LoggerMessage(403, LogLevel.Error, "{ClientName}: the changed configuration is not valid, what was in force before stays. {Problems}")]
    private static partial void ReloadRejected(ILogger logger, string clientName, string problems);

    [LoggerMessage(404, LogLevel.Information, "{ClientName}: a Microsoft ResilienceHandler was taken off, so that retries do not multiply")]
    private static partial void ForeignHandlerRemoved(ILogger logger, string clientName);

    internal void AnnounceForeignHandlerRemoved() => ForeignHandlerRemoved(_logger, Name);
}
