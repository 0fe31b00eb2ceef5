using System.Diagnostics.Metrics;

namespace HttpResilience;

/// <summary>
/// The instruments of the chain, for all clients of a container. An instrument without a listener costs one read of a field.
/// </summary>
internal sealed class ResilienceMeter : IDisposable
{
    internal const string Name = "HttpResilience";

    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
    };

    private static readonly InstrumentAdvice<int> FewAttempts = new() { HistogramBucketBoundaries = [0, 1, 2, 3, 4, 5, 10] };

    private readonly ResilientClients _clients;
    private readonly Meter? _own;
    private readonly Histogram<double> _callDuration;
    private readonly Histogram<int> _attempts;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _circuitTransitions;
    private readonly Counter<long> _pauses;
    private readonly Counter<long> _forgotten;
    private readonly Counter<long> _fallbacks;
    private readonly Counter<long> _observed;

    /// <param name="clients">The clients whose circuits are observed.</param>
    /// <param name="factory">Creates and disposes the meter. Null: this type creates and disposes it.</param>
    public ResilienceMeter(ResilientClients clients, IMeterFactory? factory = null)
    {
        _clients = clients;
        var meter = factory?.Create(Name, TelemetryTags.Version) ?? (_own = new(Name, TelemetryTags.Version));
        PlatformDuration = new(factory);
        _callDuration = meter.CreateHistogram(
            "http.client.resilience.call.duration", "s", "Duration of calls as the application sees them, all attempts and waits included.",
            tags: null, Seconds);
        _attempts = meter.CreateHistogram(
            "http.client.resilience.attempts", "{attempt}", "Attempts per call; 0 when nothing was sent.", tags: null, FewAttempts);
        _retries = meter.CreateCounter<long>(
            "http.client.resilience.retries", "{retry}", "Failed attempts that were retried.");
        _circuitTransitions = meter.CreateCounter<long>(
            "http.client.resilience.circuit.transitions", "{transition}", "Changes of the state of circuits.");
        _pauses = meter.CreateCounter<long>(
            "http.client.resilience.pauses", "{pause}", "Pauses that hosts asked for with Retry-After.");
        _forgotten = meter.CreateCounter<long>(
            "http.client.resilience.remembered_calls.lost", "{call}", "Keyed calls whose outcome could not be stored.");
        _fallbacks = meter.CreateCounter<long>(
            "http.client.resilience.fallbacks", "{call}", "Failed calls answered with a cached response.");
        _observed = meter.CreateCounter<long>(
            "http.client.resilience.observed", "{attempt}", "Attempts that limits which only observe would have stopped or delayed.");
        meter.CreateObservableGauge(
            "http.client.resilience.concurrency.limit", () => ObserveGates(static gate => gate.Limit), "{attempt}",
            "Limit of concurrent attempts to a host that finds itself.");
        meter.CreateObservableGauge(
            "http.client.resilience.concurrency.waiting", () => ObserveGates(static gate => gate.Waiting), "{attempt}",
            "Attempts that wait for that limit.");
        meter.CreateObservableGauge(
            "http.client.resilience.circuit.state", ObserveCircuits, unit: null,
            "State of the circuit of a host: 0 closed, 1 open, 2 half open, 3 isolated.");
    }

    internal PlatformDuration PlatformDuration { get; }

    internal void CallEnded(HttpCall call, HttpRequestMessage request, HttpResponseMessage? response, Exception? exception)
    {
        if (_callDuration.Enabled || _attempts.Enabled)
            Record(call, request, (int?)response?.StatusCode, exception);
    }

    internal void WillRetry(HttpCall call, HttpRequestMessage request, in AttemptResult result, Exception? exception)
    {
        if (!_retries.Enabled)
            return;

        var tags = TelemetryTags.Of(call.ClientName, request.RequestUri);
        tags.Add(TelemetryTags.Method, TelemetryTags.MethodOf(request.Method));
        tags.Add(TelemetryTags.ErrorType, TelemetryTags.ErrorTypeOf(result.FailureClass, result.StatusCode, exception));
        _retries.Add(1, tags);
    }

    internal void Forgotten(string clientName, Uri? uri)
    {
        if (_forgotten.Enabled)
            _forgotten.Add(1, TelemetryTags.Of(clientName, uri));
    }

    internal void FellBack(HttpCall call, Uri? uri)
    {
        if (!_fallbacks.Enabled)
            return;

        var tags = TelemetryTags.Of(call.ClientName, uri);
        tags.Add(TelemetryTags.StopReason, call.StopReason.ToString());
        _fallbacks.Add(1, tags);
    }

    internal void CircuitMoved(string clientName, HostKey host, CircuitState to)
    {
        if (!_circuitTransitions.Enabled)
            return;

        var tags = TelemetryTags.Of(clientName, host.Authority);
        tags.Add(TelemetryTags.CircuitState, NameOf(to));
        tags.Add(TelemetryTags.CircuitScope, host.Tenant is null ? "authority" : "tenant");
        _circuitTransitions.Add(1, tags);
    }

    internal void Paused(string clientName, HostKey host, int? status)
    {
        if (!_pauses.Enabled)
            return;

        var tags = TelemetryTags.Of(clientName, host.Authority);
        if (status is not null)
            tags.Add(TelemetryTags.StatusCode, status);
        _pauses.Add(1, tags);
    }

    /// <param name="limit">The limit, and what it would have done.</param>
    internal void Observed(string clientName, HttpAuthority authority, string limit, int number)
    {
        if (!_observed.Enabled)
            return;

        var tags = TelemetryTags.Of(clientName, authority);
        tags.Add(TelemetryTags.ObservedLimit, limit);
        _observed.Add(number, tags);
    }

    public void Dispose()
    {
        PlatformDuration.Dispose();
        _own?.Dispose();
    }

    private void Record(HttpCall call, HttpRequestMessage request, int? status, Exception? exception)
    {
        var asked = RequestSnapshot.AskedFor(request);
        var tags = TelemetryTags.Of(call.ClientName, asked.RequestUri);
        tags.Add(TelemetryTags.Method, TelemetryTags.MethodOf(asked.Method));
        if (status is not null)
            tags.Add(TelemetryTags.StatusCode, status);
        if (TelemetryTags.ErrorTypeOf(call, status, exception) is { } errorType)
            tags.Add(TelemetryTags.ErrorType, errorType);
        tags.Add(TelemetryTags.StopReason, call.StopReason.ToString());
        _callDuration.Record(call.Elapsed.TotalSeconds, tags);
        _attempts.Record(call.AttemptCount, tags);
    }

    // Without the circuits of tenants: there are too many, and their names must not appear in metrics.
    private IEnumerable<Measurement<int>> ObserveCircuits() =>
        from client in _clients
        where client.Policy.WithRoutes.Any(p => p.CircuitBreaker is not null)
        from host in client.Hosts.All
        where host.Key.Tenant is null
        select new Measurement<int>((int)host.Circuit.State, TelemetryTags.Of(client.Name, host.Key.Authority));

    private IEnumerable<Measurement<int>> ObserveGates(Func<ConcurrencyGate, int> value) =>
        from client in _clients
        where client.Policy.IsConcurrencyAdaptive
        from host in client.Hosts.All
        where host is { Key.Tenant: null, Gate: not null }
        select new Measurement<int>(value(host.Gate!), TelemetryTags.Of(client.Name, host.Key.Authority));

    private static string NameOf(CircuitState state) => state switch
    {
        CircuitState.Open => "open",
        CircuitState.HalfOpen => "half_open",
        CircuitState.Isolated => "isolated",
        _ => "closed",
    };
}
