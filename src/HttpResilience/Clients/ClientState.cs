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
internal sealed partial class ClientState : ObservedClient, IDisposable
{
    private readonly IOptionsFactory<HttpResilienceOptions> _options;
    private readonly ILogger<ClientState> _logger;
    private readonly IDisposable? _reload;
    private volatile ResiliencePolicy _policy;
    private volatile HostLimiter? _limiter;
    private long _httpClientTimeout = long.MaxValue;
    private bool _foreignHandlerIsRemoved;

    internal ClientState(
        string name, IOptionsFactory<HttpResilienceOptions> options, IConfiguration? configuration, TimeProvider time,
        ResilienceMeter meter, ILogger<ClientState> logger, ILogger<CircuitBreakerHandler> circuitLogger, AttemptClassifier classifier, RegisteredExtensions supplied,
        CallObservers? observers)
    {
        (Classifier, Supplied, Observers) = (classifier, supplied, observers);
        Events = new(this, circuitLogger);
        Name = name;
        Meter = meter;
        Time = time;
        Timers = new(time);
        _options = options;
        _logger = logger;
        _policy = new(options.Create(name), time);
        _limiter = CreateLimiter(_policy);
        AnnounceGround();
        AnnounceChaos();
        if (configuration is not null)
            _reload = ChangeToken.OnChange(configuration.GetReloadToken, Reload);
    }

    public override string Name { get; }

    public override TimeProvider Time { get; }

    public override ErrorBudgetOptions ErrorBudget => _policy.ErrorBudget;

    public override bool HasCircuitBreaker => _policy.CircuitBreaker is not null;

    public override bool HoldsLettersBack
    {
        get
        {
            var (policy, now) = (_policy, Time.GetTimestamp());
            return policy.DeadLetter is not null && Hosts.All.Any(h => h.IsToBeLeftAlone(policy, now));
        }
    }

    public override IEnumerable<ObservedHost> ObservedHosts => Hosts.All;

    internal ResiliencePolicy Policy => _policy;

    internal HostCollection Hosts { get; } = new();

    internal CircuitEvents Events { get; }

    internal ResilienceMeter Meter { get; }

    /// <summary>Null when the container has none.</summary>
    internal CallObservers? Observers { get; }

    internal AttemptClassifier Classifier { get; }

    /// <summary>What the application decides itself.</summary>
    internal RegisteredExtensions Supplied { get; }

    internal AttemptTimers Timers { get; }

    /// <summary>The responses that stand in for those that the API cannot give.</summary>
    internal FallbackCache Fallbacks { get; } = new();

    /// <summary>Who may be on the way to a host; null when that is not limited.</summary>
    internal HostLimiter? Limiter => _limiter;

    /// <summary>The client has had a Microsoft <c>ResilienceHandler</c>.</summary>
    internal bool ForeignHandlerIsRemoved => Volatile.Read(ref _foreignHandlerIsRemoved);

    /// <summary>Where jitter comes from.</summary>
    internal Random Random { get; private init; } = Random.Shared;

    /// <summary>What <see cref="HttpClient.MaxResponseContentBufferSize"/> is, for bodies that the chain reads.</summary>
    internal long MaxResponseContentBufferSize { get; private set; } = int.MaxValue;

    internal static ClientState Create(IServiceProvider services, string name, Random? random = null)
    {
        var time = services.GetService<TimeProvider>() ?? TimeProvider.System;
        var supplied = new RegisteredExtensions(services, name);
        var observers = services.GetRequiredService<CallObservers>();
        var client = new ClientState(
            name,
            services.GetRequiredService<IOptionsFactory<HttpResilienceOptions>>(),
            services.GetService<IConfiguration>(),
            time,
            services.GetRequiredService<ResilienceMeter>(),
            AlertClient.LoggerFor<ClientState>(services, name),
            AlertClient.LoggerFor<CircuitBreakerHandler>(services, name),
            new(supplied, time, AlertClient.LoggerFor<AttemptClassifier>(services, name)),
            supplied,
            observers.IsEmpty ? null : observers)
        {
            Random = random ?? Random.Shared,
        };
        services.GetRequiredService<ClientStates>().Add(client);
        client.Observers?.ClientConfigured(client);
        return client;
    }

    /// <summary>Looks up what is known of the host that a call goes to.</summary>
    internal void FindHost(HttpRequestMessage request, HttpCall call)
    {
        if (request.RequestUri is not { IsAbsoluteUri: true } uri)
            return;

        var authority = new HttpAuthority(uri);
        call.Host = HostFor(new(authority, null), call.Policy, call.StartedAt);
        if (call.Tenant is { } tenant && call.Policy.CircuitBreaker?.Isolation is CircuitIsolation.AuthorityAndTenant)
            call.TenantHost = HostFor(new(authority, tenant), call.Policy, call.StartedAt);
        if (call.Policy.Retry.Budget is { } budget)
            call.Host!.CountCall(budget, call.StartedAt);
    }

    /// <summary>Takes what a host has said about when it may be called again.</summary>
    internal void ApplyRetryAfter(HostState host, ResiliencePolicy policy, in AttemptResult result, long endedAt)
    {
        if (host.ApplyRetryAfter(policy, result, endedAt))
            Meter.Paused(Name, host.Key, result.StatusCode);
    }

    /// <summary>What is remembered of a host; made when it is not known yet.</summary>
    internal HostState HostFor(HostKey key, ResiliencePolicy policy, long now) => Hosts.For(key, policy.MaxHosts, now);

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

    /// <summary>The timestamp at which the last attempt of a call is over: what a stage outside has to do then still comes before the deadline.</summary>
    internal long LastAttemptEndOf(HttpCall call) => DeadlineOf(call) is var deadline and not long.MaxValue ? deadline - call.DeadlineReserve : long.MaxValue;

    /// <summary>Which setting the deadline of a call comes from, for people.</summary>
    internal string DeadlineNameOf(HttpCall call) => DeadlineOf(call) < call.Policy.DeadlineFrom(call.StartedAt, long.MaxValue)
        ? "HttpClient.Timeout"
        : $"TotalRequestTimeout ({call.Policy.TotalRequestTimeout})";

    public void Dispose() => _reload?.Dispose();

    private static HostLimiter? CreateLimiter(ResiliencePolicy policy) => policy.RateLimiter is { } limits ? new(limits) : null;

    private void Reload()
    {
        try
        {
            var (before, chaosBefore) = (_policy.RateLimiter, _policy.Chaos?.Description);
            _policy = new(_options.Create(Name), Time);
            // A limiter that still holds is kept, with its count. One that is replaced is left to those that wait at it.
            if (_policy.RateLimiter != before)
                _limiter = CreateLimiter(_policy);
            if (_policy.Chaos?.Description != chaosBefore)
                AnnounceChaos();
            if (_policy.Fallback is null)
                Fallbacks.Clear();
            Observers?.ClientConfigured(this);
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

    /// <summary>Told once: the factory makes new handlers every two minutes.</summary>
    internal void AnnounceForeignHandlerRemoved()
    {
        if (!Interlocked.Exchange(ref _foreignHandlerIsRemoved, true))
            ForeignHandlerRemoved(_logger, Name);
    }
}
