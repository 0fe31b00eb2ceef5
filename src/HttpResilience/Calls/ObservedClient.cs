namespace HttpResilience;

/// <summary>A client with the chain, as observers and operators see it.</summary>
public abstract class ObservedClient : ObserverState
{
    private protected ObservedClient()
    {
    }

    /// <summary>
    /// Its name in <see cref="IHttpClientFactory"/>, or the name that <c>AddResilience(settingsName)</c> gave its settings and state.
    /// </summary>
    public abstract string Name { get; }

    /// <summary>
    /// Its chain and the main settings in force in one line, as it is logged at start and after a reload. All settings:
    /// <c>IOptionsMonitor&lt;HttpResilienceOptions&gt;.Get(Name)</c>, and with where each comes from <c>ClientSettings.InForce</c>.
    /// </summary>
    public abstract string Chain { get; }

    /// <summary>
    /// The routes in force by their patterns (<see cref="HttpCall.Route"/>), each with the settings that differ from those of the client,
    /// by their keys, such as <c>TotalRequestTimeout:Timeout</c>.
    /// </summary>
    public abstract IReadOnlyDictionary<string, IReadOnlyDictionary<string, object?>> Routes { get; }

    /// <summary>Its clock.</summary>
    public abstract TimeProvider Time { get; }

    /// <summary>The section <c>ErrorBudget</c> in force: for reading only.</summary>
    public abstract ErrorBudgetOptions ErrorBudget { get; }

    /// <summary>
    /// Circuits reject its calls: <c>CircuitBreaker:BreakDuration</c> is set, and <c>CircuitBreaker:Mode</c> is <c>Enforce</c>.
    /// </summary>
    public abstract bool HasCircuitBreaker { get; }

    /// <summary>
    /// The circuit of the host has not been closed for longer than calls wait for it (<c>CircuitBreaker:MaxWait</c>), or is open for
    /// longer: its calls fail. False while an operator isolates a circuit that was closed.
    /// </summary>
    /// <param name="host">One of <see cref="ObservedHosts"/>.</param>
    public abstract bool HasOutage(ObservedHost host);

    /// <summary>An open circuit, or a pause that a host asked for, holds back the dead letters of that host now.</summary>
    public abstract bool HoldsLettersBack { get; }

    /// <summary>The hosts it has called of late, and the tenants' parts of them.</summary>
    public abstract IEnumerable<ObservedHost> ObservedHosts { get; }
}
