using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace HttpResilience;

/// <summary>
/// A named client: its policy, its hosts, and what features keep for it. It outlives its handlers, which the factory replaces every two
/// minutes; a reload swaps the policy and keeps the rest.
/// </summary>
internal sealed partial class Client : ObservedClient, IDisposable
{
    internal const string LogCategory = "HttpResilience.ClientState";

    private readonly Func<HttpResilienceOptions> _read;
    private readonly ILogger _logger;
    private readonly IDisposable[] _reloads;
    private readonly Lock _reading = new();
    private volatile ResiliencePolicy _policy;

    /// <param name="read">Reads and validates the options.</param>
    /// <param name="sources">The change tokens of what they are read from.</param>
    internal Client(
        string name, string httpClientName, Func<HttpResilienceOptions> read, IEnumerable<Func<IChangeToken>> sources, TimeProvider time,
        ILogger logger)
    {
        (Name, HttpClientName, Time, _read, _logger) = (name, httpClientName, time, read, logger);
        Options = read();
        _policy = new(name, Options, time);
        Timers = new(time);
        // A section has the token of its root.
        _reloads = [.. sources.DistinctBy(token => token()).Select(token => ChangeToken.OnChange(token, Reload))];
    }

    /// <summary>A reload has replaced the policy.</summary>
    internal event Action? PolicyChanged;

    public override string Name { get; }

    /// <summary>Its name in the factory.</summary>
    internal string HttpClientName { get; }

    public override TimeProvider Time { get; }

    public override string Chain => Options.Chain;

    public override IReadOnlyDictionary<string, IReadOnlyDictionary<string, object?>> Routes => Options.InRoutes.ToDictionary(
        route => route.Route!, IReadOnlyDictionary<string, object?> (route) => route.Differences.ToDictionary());

    public override ErrorBudgetOptions ErrorBudget => _policy.ErrorBudget;

    public override bool HasCircuitBreaker => _policy.ClientHasActiveCircuit;

    public override bool HasOutage(ObservedHost host) =>
        HasCircuitBreaker && HostDirectory.HasOutage(host, Time.GetTimestamp());

    public override bool HoldsLettersBack
    {
        get
        {
            var (policy, now) = (_policy, Time.GetTimestamp());
            return policy.ClientDeadLetter is not null && Hosts.AnyIsUnavailable(policy, now);
        }
    }

    public override IEnumerable<ObservedHost> ObservedHosts => Hosts.All;

    internal ResiliencePolicy Policy => _policy;

    /// <summary>The options in force.</summary>
    internal HttpResilienceOptions Options { get; private set; }

    /// <summary>Why the last reload was rejected; null when it was not.</summary>
    internal string? ReloadProblems { get; private set; }

    internal HostDirectory Hosts { get; } = new();

    internal ClientDeadline Deadline { get; } = new();

    internal AttemptTimers Timers { get; }

    /// <summary>The source of jitter.</summary>
    internal Random Random { get; init; } = Random.Shared;

    /// <summary><see cref="HttpClient.MaxResponseContentBufferSize"/>, which also limits the bodies that the chain reads.</summary>
    internal long MaxResponseContentBufferSizeOf(HttpRequestMessage request) =>
        Deadline.SenderOf(request)?.MaxResponseContentBufferSize ?? int.MaxValue;

    public void Dispose() => Array.ForEach(_reloads, reload => reload.Dispose());

    private void Reload()
    {
        try
        {
            // Of two reloads at once, the one that reads last is in force.
            lock (_reading)
            {
                var options = _read();
                (_policy, Options) = (new(Name, options, Time), options);
                ReloadProblems = null;
            }

            PolicyChanged?.Invoke();
            Reloaded(_logger, Name);
        }
        catch (Exception e)
        {
            // An exception of the application's own code here would keep other readers of the configuration from their reload.
            string problems = ReloadProblems = HttpResilienceOptions.ProblemsOf(e);
            ReloadRejected(_logger, Name, problems);
        }
    }

    [LoggerMessage(402, LogLevel.Debug, "{ClientName}: configuration reloaded")]
    private static partial void Reloaded(ILogger logger, string clientName);

    [LoggerMessage(403, LogLevel.Error, "{ClientName}: invalid configuration; keeping the previous one. {Problems}")]
    private static partial void ReloadRejected(ILogger logger, string clientName, string problems);
}
