using System.Net;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Classifies the attempts of a client: by the built-in table, then by the overrides per status, then by the application's
/// <see cref="IFailureClassifier"/>. <see cref="AttemptFacts"/> correct each of them.
/// </summary>
internal sealed partial class AttemptClassifier(
    RegisteredExtensions supplied, WireReach reach, TimeProvider time, ILogger<AttemptClassifier> logger)
{
    private const int MaxHint = 64;

    /// <summary>Handlers of the application get the token of an attempt, and may use it as long as the response is open.</summary>
    internal bool HandlersHaveToken => reach.IsWatched;

    /// <summary>The attempt of a call got a response.</summary>
    internal void Receive(HttpCall call) => reach.Receive(call);

    /// <summary>Classifies the head of a response.</summary>
    internal AttemptResult ClassifyHead(HttpResponseMessage response, HttpCall call)
    {
        int status = (int)response.StatusCode;
        // The body of every gRPC call is recorded.
        if (status < 400)
            return call.HasRecordedBody && GrpcStatus.Of(response) is { } failure ? failure : AttemptResult.Success(status);

        var result = FailureClassifier.Classify(
            response, call.IdempotencyKey is not null, time.GetUtcNow(), mayBeInFlight: call.MayHaveBeenProcessed);
        if (result.RetryAfter is null && logger.IsEnabled(LogLevel.Debug))
            NotifyOfHint(call, response);
        if (call.Policy.IsRejectedForQuota(status, response.Headers))
            result = FailureClassifier.AsRateLimited(result);
        if (ClassOf(status, call) is { } failureClass)
            result = result.As(failureClass);
        return call.FactsOf(exception: null).ApplyTo(result);
    }

    private static FailureClass? ClassOf(int status, HttpCall call) =>
        call.Policy.Retry.Statuses.TryGetValue(status, out var policy) ? policy.FailureClass : null;

    // The types of problems that say more than their status.
    private static bool MayHaveProblemType(HttpResponseMessage response, HttpCall call) =>
        response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable or HttpStatusCode.Forbidden
        && ErrorBody.MayBeProblem(response) && ClassOf((int)response.StatusCode, call) is null;

    /// <summary>
    /// Reads the beginning of an error body ahead, if the application's classifier wants it or its type may decide whether it is repeated.
    /// </summary>
    internal ValueTask ReadErrorBodyAsync(
        HttpResponseMessage response, HttpCall call, in AttemptResult head, bool async, CancellationToken cancellationToken) =>
        !head.IsSuccess && call.Policy.Logging.ErrorBodyBytes > 0 && (MayHaveProblemType(response, call) || ReadsErrorBody(call))
            ? ErrorBody.ReadAheadAsync(response, call.Policy.Logging.ErrorBodyBytes, time, async, cancellationToken)
            : default;

    private bool ReadsErrorBody(HttpCall call)
    {
        if (call.Policy.Logging.ErrorBodyBytes == 0 || supplied.Classifier is not { } classifier)
            return false;
        try
        {
            return classifier.ReadsErrorBody;
        }
        catch (Exception e)
        {
            ClassifierFailed(logger, e.Loggable, call.ClientName, classifier.GetType().Name);
            return false;
        }
    }

    /// <summary>Classifies a response, read as far as the attempt reads it.</summary>
    /// <param name="head">The class of its head.</param>
    internal AttemptResult Classify(HttpResponseMessage response, HttpCall call, in AttemptResult head)
    {
        var result = !head.IsSuccess && MayHaveProblemType(response, call)
            ? call.FactsOf(exception: null).ApplyTo(FailureClassifier.OfProblem(head, ErrorBody.ProblemTypeOf(response))) : head;
        return supplied.Classifier is { } classifier
            ? call.FactsOf(exception: null).ApplyTo(Ask(classifier, call, response, null, result)) : result;
    }

    /// <summary>Classifies an exception.</summary>
    /// <param name="method">The method that was sent.</param>
    /// <param name="timedOut">The attempt ended after its timeout or the deadline of the call.</param>
    /// <param name="cancelled">The token of the attempt is cancelled.</param>
    internal AttemptResult Classify(Exception exception, HttpMethod method, HttpCall call, bool timedOut, bool cancelled)
    {
        reach.Fail(call);
        var facts = call.FactsOf(exception) with { IsCertain = reach.ProvesUnsent(method) };
        var result = facts.ApplyTo(FailureClassifier.Classify(exception, timedOut, cancelled));
        return supplied.Classifier is { } classifier && result.FailureClass is not FailureClass.Cancelled && !IsOurs(exception)
            ? facts.ApplyTo(Ask(classifier, call, null, exception, result)) : result;
    }

    /// <summary>
    /// Whether a rejection is that of another call, which a handler inside the chain made after the request may have been sent.
    /// </summary>
    internal bool IsAfterSending(RejectedException rejected, HttpCall call)
    {
        reach.Fail(call);
        return call.WasSent && rejected.GetHttpCall() is not null;
    }

    private static bool IsOurs(Exception exception) => exception is RejectedException or IdempotencyKeyReusedException;

    // A failing classifier must not fail the call, nor block a probe of a half-open circuit.
    private AttemptResult Ask(
        IFailureClassifier classifier, HttpCall call, HttpResponseMessage? response, Exception? exception, in AttemptResult builtIn)
    {
        FailureClassification before = builtIn.ToClassification(), after;
        try
        {
            after = classifier.Classify(call, response, exception, before);
            if (after.FailureClass is FailureClass.Cancelled || !Enum.IsDefined(after.FailureClass)
                || (after.FailureClass is FailureClass.None && response is null))
            {
                string subject = response is null ? "an exception" : "a response";
                throw new InvalidOperationException($"{after.FailureClass} is not a class for {subject}.");
            }
        }
        catch (Exception e)
        {
            var loggable = call.Policy.Logging.Redaction.Loggable(e, response?.RequestMessage);
            ClassifierFailed(logger, loggable, call.ClientName, classifier.GetType().Name);
            return builtIn;
        }

        return after == before ? builtIn : AttemptResult.Of(after, builtIn.StatusCode);
    }

    private void NotifyOfHint(HttpCall call, HttpResponseMessage response)
    {
        if (RetryAfter.UnreadableIn(response.Headers, isRejected: (int)response.StatusCode == 429) is not { } field)
            return;
        string value = call.Policy.Logging.Redaction.Scrub(
            response.Headers.NonValidated[field].ToString(), response.RequestMessage, response);
        HintIgnored(logger, call.ClientName, (int)response.StatusCode, field, value[..Math.Min(value.Length, MaxHint)]);
    }

    [LoggerMessage(407, LogLevel.Error, "{ClientName}: {Classifier} failed; the built-in classification is used")]
    private static partial void ClassifierFailed(ILogger logger, Exception exception, string clientName, string classifier);

    [LoggerMessage(410, LogLevel.Debug, "{ClientName}: ignoring an unreadable delay in a {StatusCode} response, {Field}: {Value}")]
    private static partial void HintIgnored(ILogger logger, string clientName, int statusCode, string field, string value);
}
