using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;

namespace HttpResilience.Migration;

/// <summary>Calls <c>OnRetry</c>, <c>OnOpened</c>, <c>OnHalfOpened</c> and <c>OnClosed</c> of the standard handlers.</summary>
internal sealed class PeerEvents(MigratedClients clients, IServiceProvider services) : CallObserver
{
    protected override ValueTask RetryingAsync(
        ObservedClient client, HttpCall httpCall, HttpResponseMessage? response, Exception? exception, TimeSpan delay,
        CancellationToken cancellationToken)
    {
        if (clients.DelegatesOf(client.Name) is not { Settings.Retry.OnRetry: { } onRetry } delegates
            || httpCall.Attempts is not [.., var last])
            return default;
        var outcome = delegates.OutcomeOf(response, exception);
        int attempt = httpCall.Attempts.Count - 1;
        var context = MigratedCall.ContextOf(response?.RequestMessage);
        return onRetry(new OnRetryArguments<HttpResponseMessage>(context, outcome, attempt, delay, last.Elapsed));
    }

    protected override void CircuitChanged(ObservedClient client, ObservedHost host, CircuitState state)
    {
        if (clients.DelegatesOf(client.Name) is not { } delegates)
            return;
        var circuit = delegates.Settings.CircuitBreaker;
        switch (state)
        {
            case CircuitState.Open or CircuitState.Isolated when circuit.OnOpened is { } onOpened:
                var options = services.GetRequiredService<IOptionsMonitor<HttpResilienceOptions>>().Get(client.Name);
                var duration = options.CircuitBreaker.BreakDuration ?? circuit.BreakDuration;
                Run(nameof(circuit.OnOpened), context => onOpened(new OnCircuitOpenedArguments<HttpResponseMessage>(
                    context, delegates.LastOutcome, duration, isManual: state is CircuitState.Isolated)));
                break;
            case CircuitState.HalfOpen when circuit.OnHalfOpened is { } onHalfOpened:
                Run(nameof(circuit.OnHalfOpened), context => onHalfOpened(new OnCircuitHalfOpenedArguments(context)));
                break;
            case CircuitState.Closed when circuit.OnClosed is { } onClosed:
                Run(nameof(circuit.OnClosed), context => onClosed(new OnCircuitClosedArguments<HttpResponseMessage>(
                    context, delegates.LastOutcome, isManual: false)));
                break;
        }

        void Run(string option, Func<ResilienceContext, ValueTask> notify) =>
            delegates.Run(option, () => notify(MigratedCall.ContextOf(null)));
    }
}
