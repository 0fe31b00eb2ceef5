using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>Passes what happens on to the observers of the container. One that fails disturbs neither calls nor other observers.</summary>
internal sealed partial class CallObservers(IEnumerable<CallObserver> observers, ILogger logger)
{
    internal const string LogCategory = "HttpResilience.CallObserver";

    private readonly CallObserver[] _observers = [.. observers];

    internal bool IsEmpty => _observers.Length == 0;

    internal void ClientConfigured(ObservedClient client) =>
        ForEach(client, static (observer, client) => observer.ClientConfigured(client));

    /// <returns>The exception of an observer that refuses the call; null when none does.</returns>
    internal IntegrationPausedException? CallStarting(ObservedClient client, HttpCall call)
    {
        foreach (var observer in _observers)
        {
            if (Refusal(observer, client, call) is not { } refusal)
                continue;
            call.Stop(StopReason.IntegrationPaused, FailureClass.Transient);
            return refusal;
        }

        return null;
    }

    internal async ValueTask RetryingAsync(
        ObservedClient client, HttpCall call, HttpResponseMessage? response, Exception? exception, TimeSpan delay, bool async,
        CancellationToken cancellationToken)
    {
        foreach (var observer in _observers)
        {
            try
            {
                // On another thread: the observer may have to continue in the synchronization context of the thread that blocks here.
                if (async)
                    await observer.RetryingAsync(client, call, response, exception, delay, cancellationToken).ConfigureAwait(false);
                else
                    Task.Run(() => observer.RetryingAsync(client, call, response, exception, delay, cancellationToken).AsTask(),
                        CancellationToken.None).GetAwaiter().GetResult();
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // The wait that follows ends the call with it.
            }
            catch (Exception e)
            {
                ObserverFailed(logger, e.Loggable, observer.GetType().Name);
            }
        }
    }

    internal void CallEnded(ObservedClient client, HttpCall call)
    {
        var ended = new EndedCall(client, call, (ObservedHost?)call.HostState, OutcomeOf(call));
        foreach (var observer in _observers)
        {
            try
            {
                observer.CallEnded(ended);
            }
            catch (Exception e)
            {
                ObserverFailed(logger, e.Loggable, observer.GetType().Name);
            }
        }
    }

    internal bool IsPaused(ObservedClient client)
    {
        foreach (var observer in _observers)
        {
            try
            {
                if (observer.IsPaused(client))
                    return true;
            }
            catch (Exception e)
            {
                ObserverFailed(logger, e.Loggable, observer.GetType().Name);
            }
        }

        return false;
    }

    internal void PauseChanged(ErrorBudgetPause change) =>
        ForEach(change, static (observer, change) => observer.PauseChanged(change));

    internal void CircuitChanged(ObservedClient client, ObservedHost host, CircuitState state) =>
        ForEach((client, host, state), static (observer, changed) => observer.CircuitChanged(changed.client, changed.host, changed.state));

    internal void LetterLost(ObservedClient client, HttpCall call) =>
        ForEach((client, call), static (observer, lost) => observer.LetterLost(lost.client, lost.call));

    internal void BatchFinished(string name) => ForEach(name, static (observer, finished) => observer.BatchFinished(finished));

    private static CallOutcome OutcomeOf(HttpCall call) => new(
        call.FailureClass, call.StopReason, call.FailureClass is FailureClass.None || call.WasEverSent ? call.AttemptCount : 0,
        call.LastStatusCode,
        call.StopReason is StopReason.CircuitOpen
            && IsOnlyTenantOpen((ObservedHost?)call.HostState, (ObservedHost?)call.TenantHostState));

    private static bool IsOnlyTenantOpen(ObservedHost? host, ObservedHost? tenant) =>
        tenant is { CircuitState: not CircuitState.Closed } && host is { CircuitState: CircuitState.Closed };

    private IntegrationPausedException? Refusal(CallObserver observer, ObservedClient client, HttpCall call)
    {
        try
        {
            return observer.CallStarting(client, call);
        }
        catch (Exception e)
        {
            ObserverFailed(logger, e.Loggable, observer.GetType().Name);
            return null;
        }
    }

    private void ForEach<TState>(TState state, Action<CallObserver, TState> notify)
    {
        foreach (var observer in _observers)
        {
            try
            {
                notify(observer, state);
            }
            catch (Exception e)
            {
                ObserverFailed(logger, e.Loggable, observer.GetType().Name);
            }
        }
    }

    [LoggerMessage(413, LogLevel.Error, "{Observer} failed; the call is not affected")]
    private static partial void ObserverFailed(ILogger logger, Exception exception, string observer);
}
