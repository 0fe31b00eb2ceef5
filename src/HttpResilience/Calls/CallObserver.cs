namespace HttpResilience;

/// <summary>
/// Observes the calls, circuits, dead letters and batches of all clients of a container, and may refuse calls. Register any number as
/// singletons (<c>AddSingleton&lt;CallObserver, T&gt;</c>); none of them may need a client with the chain to be constructed. Methods are
/// called by many threads at once, and inside calls: they should return at once. An exception that one throws is logged as an error and
/// changes nothing.
/// </summary>
public abstract class CallObserver
{
    /// <summary>A client was created or its configuration was reloaded.</summary>
    /// <param name="client">The client, with the settings now in force.</param>
    protected internal virtual void ClientConfigured(ObservedClient client)
    {
    }

    /// <summary>A call is about to send its first attempt, once for each call that is not answered before that.</summary>
    /// <param name="client">The client.</param>
    /// <param name="httpCall">The call.</param>
    /// <returns>The exception to refuse the call with: nothing is sent, and the caller gets it. Null: the call goes on.</returns>
    protected internal virtual IntegrationPausedException? CallStarting(ObservedClient client, HttpCall httpCall) => null;

    /// <summary>
    /// An attempt of a call has failed, and the call is about to wait for the next one: to refresh what the next attempt needs, or to
    /// count. The wait begins with the failure, not with the end of this method, which may await.
    /// </summary>
    /// <param name="client">The client.</param>
    /// <param name="httpCall">The call, with its attempts so far.</param>
    /// <param name="response">The response that is not the answer; closed afterwards. Null when there was none.</param>
    /// <param name="exception">The exception; null when there was a response.</param>
    /// <param name="delay">The wait from the failure on.</param>
    /// <param name="cancellationToken">Ends with the call's own.</param>
    protected internal virtual ValueTask RetryingAsync(
        ObservedClient client, HttpCall httpCall, HttpResponseMessage? response, Exception? exception, TimeSpan delay,
        CancellationToken cancellationToken) => default;

    /// <summary>A call has ended.</summary>
    /// <param name="ended">The call and what it says.</param>
    protected internal virtual void CallEnded(in EndedCall ended)
    {
    }

    /// <summary>
    /// Whether <see cref="CallStarting"/> would refuse a call now: dead letters of the client are then not claimed for replay.
    /// </summary>
    /// <param name="client">The client.</param>
    protected internal virtual bool IsPaused(ObservedClient client) => false;

    /// <summary>An operator paused or resumed a client in this process (<see cref="Storage.ClientPauses"/>); it is stored.</summary>
    /// <param name="change">The pause or resumption.</param>
    protected internal virtual void PauseChanged(Storage.ErrorBudgetPause change)
    {
    }

    /// <summary>The circuit of a host, or of a tenant's part of it, changed its state.</summary>
    /// <param name="client">The client.</param>
    /// <param name="host">The host, or the tenant's part of it.</param>
    /// <param name="state">The new state.</param>
    protected internal virtual void CircuitChanged(ObservedClient client, ObservedHost host, CircuitState state)
    {
    }

    /// <summary>A request that finally failed could not be stored as a dead letter.</summary>
    /// <param name="client">The client.</param>
    /// <param name="httpCall">The call that failed.</param>
    protected internal virtual void LetterLost(ObservedClient client, HttpCall httpCall)
    {
    }

    /// <summary>A batch with a name (<see cref="BatchOptions{T}.Name"/>) finished.</summary>
    /// <param name="name">The name.</param>
    protected internal virtual void BatchFinished(string name)
    {
    }
}
