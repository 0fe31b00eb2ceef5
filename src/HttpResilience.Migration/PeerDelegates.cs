using System.Net;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using Polly.Hedging;
using Polly.Retry;
using Polly.Timeout;

namespace HttpResilience.Migration;

/// <summary>
/// The delegates of a client's standard handler. Those that answer are asked where the chain cannot await: one that does not answer at once
/// blocks the thread of the attempt.
/// </summary>
internal sealed partial class PeerDelegates(string clientName, PeerSettings settings, ILogger logger)
{
    internal const string LogCategory = "HttpResilience.Migration";

    private volatile PeerSettings _settings = settings;
    private volatile LastSeen? _last;

    internal PeerSettings Settings
    {
        get => _settings;
        set => _settings = value;
    }

    /// <summary>Whether an outcome is worth another attempt; null when the application has not said what is.</summary>
    internal bool? ShouldRetry(ResilienceContext context, Outcome<HttpResponseMessage> outcome, int attempt) => Settings switch
    {
        { Retry: { } retry } when !PeerDefaults.Retries(retry) =>
            Result(() => retry.ShouldHandle(new RetryPredicateArguments<HttpResponseMessage>(context, outcome, attempt))),
        { Hedging: { } hedging } when !PeerDefaults.Hedges(hedging) =>
            Result(() => hedging.ShouldHandle(new HedgingPredicateArguments<HttpResponseMessage>(context, outcome))),
        _ => null,
    };

    /// <summary>Whether an outcome counts against the circuit; null when the application has not said what does.</summary>
    internal bool? ShouldCount(ResilienceContext context, Outcome<HttpResponseMessage> outcome) =>
        Settings.CircuitBreaker is var circuit && PeerDefaults.Counts(circuit) ? null
            : Result(() => circuit.ShouldHandle(new CircuitBreakerPredicateArguments<HttpResponseMessage>(context, outcome)));

    /// <summary>The wait before the next attempt; null for the backoff.</summary>
    internal TimeSpan? DelayOf(ResilienceContext context, Outcome<HttpResponseMessage> outcome, int attempt)
    {
        if (Settings.Retry is not { DelayGenerator: { } generator } retry || PeerDefaults.Delays(retry))
            return null;
        var delay = Result(() => generator(new RetryDelayGeneratorArguments<HttpResponseMessage>(context, outcome, attempt)));
        return delay >= TimeSpan.Zero ? delay : null;
    }

    /// <summary>The outcome that the standard handler would have seen: a timeout of an attempt has an exception of its own there.</summary>
    internal Outcome<HttpResponseMessage> OutcomeOf(HttpResponseMessage? response, Exception? exception) =>
        response is not null ? Outcome.FromResult(response)
            : Outcome.FromException<HttpResponseMessage>(exception is OperationCanceledException
                ? new TimeoutRejectedException(
                    exception.Message, MigratedCall.Current?.AttemptTimeout ?? Settings.Attempt.Timeout, exception)
                : exception!);

    /// <summary>Keeps what the events of the circuit say about the last attempt.</summary>
    internal void Remember(HttpResponseMessage? response, Exception? exception)
    {
        if (Settings.CircuitBreaker is { OnOpened: not null } or { OnClosed: not null })
            _last = new(response?.StatusCode, exception);
    }

    /// <summary>The outcome of the last attempt of the client; its response has a status only, as the real one may be closed.</summary>
    internal Outcome<HttpResponseMessage> LastOutcome => _last switch
    {
        { Status: { } status } => Outcome.FromResult(new HttpResponseMessage(status)),
        { Exception: { } exception } => OutcomeOf(null, exception),
        _ => Outcome.FromException<HttpResponseMessage>(new BrokenCircuitException()),
    };

    /// <summary>Tells the application that a timeout has ended an attempt or a call.</summary>
    internal void OnTimeout(HttpTimeoutStrategyOptions strategy, ResilienceContext context, TimeSpan timeout)
    {
        if (strategy.OnTimeout is { } onTimeout)
            Run(nameof(strategy.OnTimeout), () => onTimeout(new OnTimeoutArguments(context, timeout)));
    }

    /// <summary>Runs a delegate that only observes. What it awaits goes on by itself, and its failure does not end the call.</summary>
    internal bool Run(string option, Func<ValueTask> notify)
    {
        try
        {
            var running = notify();
            if (!running.IsCompletedSuccessfully)
                _ = ObserveAsync(option, running.AsTask());
        }
        catch (Exception e)
        {
            DelegateFailed(logger, e, clientName, option);
        }

        return true;
    }

    private async Task ObserveAsync(string option, Task running)
    {
        try
        {
            await running.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            DelegateFailed(logger, e, clientName, option);
        }
    }

    // On another thread where the delegate would continue on this one, which blocks.
    private static T Result<T>(Func<ValueTask<T>> ask)
    {
        if (SynchronizationContext.Current is not null)
            return Task.Run(() => ask().AsTask()).GetAwaiter().GetResult();
        var asked = ask();
        return asked.IsCompletedSuccessfully ? asked.Result : asked.AsTask().GetAwaiter().GetResult();
    }

    [LoggerMessage(801, LogLevel.Error, "{ClientName}: {Option} failed; the call is not affected")]
    private static partial void DelegateFailed(ILogger logger, Exception exception, string clientName, string option);

    private sealed record LastSeen(HttpStatusCode? Status, Exception? Exception);
}
