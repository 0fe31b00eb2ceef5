using System.Threading.RateLimiting;
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
    private volatile PartitionedRateLimiter<HttpAuthority>? _limiter;
    private long _httpClientTimeout = long.MaxValue;

    internal ClientState(
        string name, IOptionsFactory<HttpResilienceOptions> options, IConfiguration? configuration, TimeProvider time, ILogger<ClientState> logger)
    {
        Name = name;
        Time = time;
        Timers = new(time);
        _options = options;
        _logger = logger;
        _policy = new(options.Create(name), time);
        _limiter = _policy.RateLimiter?.CreateLimiter();
        AnnounceGround();
        AnnounceChaos();
        if (configuration is not null)
            _reload = ChangeToken.OnChange(configuration.GetReloadToken, Reload);
    }

    internal string Name { get; }

    internal TimeProvider Time { get; }

    internal ResiliencePolicy Policy => _policy;

    internal CircuitCollection Circuits { get; } = new();

    internal AttemptTimers Timers { get; }

    /// <summary>Who may be on the way to a host; null when that is not limited.</summary>
    internal PartitionedRateLimiter<HttpAuthority>? Limiter => _limiter;

    /// <summary>Where jitter comes from.</summary>
    internal Random Random { get; init; } = Random.Shared;

    /// <summary>What <see cref="HttpClient.MaxResponseContentBufferSize"/> is, for bodies that the chain reads.</summary>
    internal long MaxResponseContentBufferSize { get; private set; } = int.MaxValue;

    internal static ClientState Create(IServiceProvider services, string name) => new(
        name,
        services.GetRequiredService<IOptionsFactory<HttpResilienceOptions>>(),
        services.GetService<IConfiguration>(),
        services.GetService<TimeProvider>() ?? TimeProvider.System,
        services.GetRequiredService<ILogger<ClientState>>());

    /// <summary>Learns from a client that has been set up what it will do to calls by itself.</summary>
    internal void Observe(HttpClient client)
    {
        MaxResponseContentBufferSize = client.MaxResponseContentBufferSize;
        TimeSpan? timeout = client.Timeout == Timeout.InfiniteTimeSpan ? null : client.Timeout - BackstopMargin(client.Timeout);
        Volatile.Write(ref _httpClientTimeout, timeout is { } t ? _policy.ToTimestamp(t) : long.MaxValue);
    }

    /// <summary>
    /// How far the chain's own deadline lies before <see cref="HttpClient.Timeout"/>: it is the chain that shall end a call, and tell why; to it the
    /// end by <see cref="HttpClient"/> looks as if the caller had gone away.
    /// </summary>
    internal static TimeSpan BackstopMargin(TimeSpan timeout) => TimeSpan.FromTicks(Math.Min(TimeSpan.TicksPerSecond, timeout.Ticks / 10));

    /// <summary>The timestamp at which a call is over.</summary>
    internal long DeadlineOf(HttpCall call) => call.Policy.DeadlineFrom(call.StartedAt, Volatile.Read(ref _httpClientTimeout));

    internal AttemptResult Classify(HttpResponseMessage response, HttpCall call) => (int)response.StatusCode < 400
        ? AttemptResult.Success((int)response.StatusCode)
        : FailureClassifier.Classify(response, call.IdempotencyKey is not null, Time.GetUtcNow());

    public void Dispose() => _reload?.Dispose();

    private void Reload()
    {
        try
        {
            var (before, chaosBefore) = (_policy.RateLimiter, _policy.Chaos?.Description);
            _policy = new(_options.Create(Name), Time);
            // A limiter that still holds is kept, with its count. One that is replaced is left to those that wait at it.
            if (_policy.RateLimiter != before)
                _limiter = _policy.RateLimiter?.CreateLimiter();
            if (_policy.Chaos?.Description != chaosBefore)
                AnnounceChaos();
            Reloaded(_logger, Name);
        }
        catch (OptionsValidationException e)
        {
            ReloadRejected(_logger, Name, string.Join(" ", e.Failures));
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

    // Whoever looks into failures must not have to guess that they were ordered.
    private void AnnounceChaos()
    {
        if (_policy.Chaos is { } chaos)
            ChaosIsOn(_logger, Name, chaos.Description);
    }

    [LoggerMessage(401, LogLevel.Information, "{ClientName}: calls that are not idempotent are repeated {Ground}")]
    private static partial void UnsafeCalls(ILogger logger, string clientName, string ground);

    [LoggerMessage(402, LogLevel.Debug, "{ClientName}: the configuration was read again")]
    private static partial void Reloaded(ILogger logger, string clientName);

    [LoggerMessage(403, LogLevel.Error, "{ClientName}: the changed configuration is not valid, what was in force before stays. {Problems}")]
    private static partial void ReloadRejected(ILogger logger, string clientName, string problems);

    [LoggerMessage(404, LogLevel.Information, "{ClientName}: a Microsoft ResilienceHandler was taken off, so that retries do not multiply")]
    private static partial void ForeignHandlerRemoved(ILogger logger, string clientName);

    [LoggerMessage(406, LogLevel.Warning, "{ClientName}: chaos is on, {Faults} (Chaos:Enabled)")]
    private static partial void ChaosIsOn(ILogger logger, string clientName, string faults);

    internal void AnnounceForeignHandlerRemoved() => ForeignHandlerRemoved(_logger, Name);
}
