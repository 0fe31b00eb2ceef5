using Polly;

namespace HttpResilience.Migration;

/// <summary>
/// Lets <c>ShouldHandle</c> of retry and circuit, and <c>DelayGenerator</c>, say what an outcome means, where the application has set them.
/// Whether the server may have processed a request stays the chain's own answer.
/// </summary>
internal sealed class PeerClassifier(MigratedClients clients) : IFailureClassifier
{
    public FailureClassification Classify(
        HttpCall httpCall, HttpResponseMessage? response, Exception? exception, FailureClassification builtIn) =>
        clients.DelegatesOf(httpCall.ClientName) is { } delegates
            ? Classify(MigratedCall.ContextOf(response?.RequestMessage), delegates, httpCall, response, exception, builtIn) : builtIn;

    private static FailureClassification Classify(
        ResilienceContext context, PeerDelegates delegates, HttpCall call, HttpResponseMessage? response, Exception? exception,
        FailureClassification builtIn)
    {
        delegates.Remember(response, exception);
        var (settings, running) = (delegates.Settings, MigratedCall.Current);
        // At the end of the call it is the total timeout that has ended the attempt.
        if (exception is OperationCanceledException && call.Elapsed < (running?.TotalTimeout ?? settings.Total.Timeout))
            delegates.OnTimeout(settings.Attempt, context, running?.AttemptTimeout ?? settings.Attempt.Timeout);

        var outcome = delegates.OutcomeOf(response, exception);
        int attempt = call.Attempts.Count;
        var said = builtIn;
        if (delegates.ShouldRetry(context, outcome, attempt) is { } isRetryable)
            said = As(said, isRetryable) with { IsRetryable = isRetryable };
        if (delegates.ShouldCount(context, outcome) is { } counts)
            said = As(said, counts) with { CountsAgainstCircuit = counts };
        return said.IsRetryable ? said with { Delay = delegates.DelayOf(context, outcome, attempt) } : said;
    }

    // What the application handles is no success, although its status says so.
    private static FailureClassification As(FailureClassification said, bool isHandled) =>
        isHandled && said.FailureClass is FailureClass.None
            ? new(FailureClass.Transient) { IsRetryable = false, CountsAgainstCircuit = false, MayHaveBeenProcessed = true } : said;
}
