using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace HttpResilience;

/// <summary>
/// A named client: its policy, its hosts, and what features keep for it. It outlives its handlers, which the factory replaces every two
/// minutes; a reload swaps the policy and keeps the rest.
/// </summary>
internal sealed partial class Client : ObservedClient, IDisposable
{
    internal const string LogCategory = "HttpResilience.ClientState";

    private readonly IOptionsFactory<HttpResilienceOptions> _options;
    private readonly ILogger _logger;
    private readonly IDisposable? _reload;
    private volatile ResiliencePolicy _policy;

    internal Client(
        string name, IOptionsFactory<HttpResilienceOptions> options, IConfiguration? configuration, TimeProvider time, ILogger logger)
    {
        (Name, Time, _options, _logger) = (name, time, options, logger);
        _policy = new(options.Create(name), time);
        Timers = new(time);
        if (configuration is not null)
            _reload = ChangeToken.OnChange(configuration.GetReloadToken, Reload);
    }

    /// <summary>A reload has replaced the policy.</summary>
    internal event Action? PolicyChanged;

    public override string Name { get; }

    public override TimeProvider Time { get; }

    public override ErrorBudgetOptions ErrorBudget => _policy.ErrorBudget;

    public override bool HasCircuitBreaker => _policy.CircuitBreaker is not null;

    public override bool HoldsLettersBack
    {
        get
        {
            var (policy, now) = (_policy, Time.GetTimestamp());
            return policy.DeadLetter is not null && Hosts.AnyIsUnavailable(policy, now);
        }
    }

    public override IEnumerable<ObservedHost> ObservedHosts => Hosts.All;

    internal ResiliencePolicy Policy => _policy;

    internal HostDirectory Hosts { get; } = new();

    internal ClientDeadline Deadline { get; } = new();

    internal AttemptTimers Timers { get; }

    /// <summary>The source of jitter.</summary>
    internal Random Random { get; init; } = Random.Shared;

    /// <summary><see cref="HttpClient.MaxResponseContentBufferSize"/>, which also limits the bodies that the chain reads.</summary>
    internal long MaxResponseContentBufferSizeOf(HttpRequestMessage request) =>
        Deadline.SenderOf(request)?.MaxResponseContentBufferSize ?? int.MaxValue;

    public void Dispose() => _reload?.Dispose();

    private void Reload()
    {
        try
        {
            _policy = new(_options.Create(Name), Time);
            PolicyChanged?.Invoke();
            Reloaded(_logger, Name);
        }
        catch (Exception e)
        {
            // An exception of the application's own code here would keep other readers of the configuration from their reload.
            string problems = e is OptionsValidationException { Failures: var failures } ? string.Join(" ", failures) : e.Message;
            ReloadRejected(_logger, Name, problems);
        }
    }

    [LoggerMessage(402, LogLevel.Debug, "{ClientName}: configuration reloaded")]
    private static partial void Reloaded(ILogger logger, string clientName);

    [LoggerMessage(403, LogLevel.Error, "{ClientName}: invalid configuration; keeping the previous one. {Problems}")]
    private static partial void ReloadRejected(ILogger logger, string clientName, string problems);
}
