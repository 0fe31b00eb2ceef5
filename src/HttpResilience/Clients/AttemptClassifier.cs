using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>What an attempt of a client ended with: the table, over that the overrides per status, over that the application's <see cref="IFailureClassifier"/>.</summary>
internal sealed partial class AttemptClassifier(RegisteredExtensions supplied, TimeProvider time, ILogger<AttemptClassifier> logger)
{
    private const int MaxHint = 64;

    /// <summary>What the head of a response means.</summary>
    internal AttemptResult ClassifyHead(HttpResponseMessage response, HttpCall call)
    {
        int status = (int)response.StatusCode;
        if (status < 400)
            return AttemptResult.Success(status);

        var result = FailureClassifier.Classify(response, call.IdempotencyKey is not null, time.GetUtcNow());
        if (result.RetryAfter is null && logger.IsEnabled(LogLevel.Debug))
            NotifyOfHint(call, response);
        return call.Policy.Retry.Statuses.TryGetValue(status, out var policy) && policy.FailureClass is { } failureClass ? result.As(failureClass) : result;
    }

    /// <summary>What a response means of which as much has been read as is going to be.</summary>
    /// <param name="head">What its head means.</param>
    internal AttemptResult Classify(HttpResponseMessage response, HttpCall call, in AttemptResult head) =>
        supplied.Classifier is { } classifier ? Ask(classifier, call, response, null, head) : head;

    /// <summary>What an exception means.</summary>
    /// <param name="timedOut">The chain's own timer ended the attempt.</param>
    /// <param name="cancelled">The token that the attempt was given is cancelled.</param>
    internal AttemptResult Classify(Exception exception, HttpCall call, bool timedOut, bool cancelled)
    {
        var result = FailureClassifier.Classify(exception, timedOut, cancelled);
        return supplied.Classifier is { } classifier && result.FailureClass is not FailureClass.Cancelled && !IsOurs(exception)
            ? Ask(classifier, call, null, exception, result) : result;
    }

    private static bool IsOurs(Exception exception) => exception is RejectedException or IdempotencyKeyReusedException;

    // A classifier that fails must not lose the call, nor the place that it holds in a half-open circuit.
    private AttemptResult Ask(IFailureClassifier classifier, HttpCall call, HttpResponseMessage? response, Exception? exception, in AttemptResult builtIn)
    {
        FailureClassification before = builtIn.ToClassification(), after;
        try
        {
            after = classifier.Classify(call, response, exception, before);
            if (after.FailureClass is FailureClass.Cancelled || !Enum.IsDefined(after.FailureClass) || (after.FailureClass is FailureClass.None && response is null))
                throw new InvalidOperationException($"{after.FailureClass} cannot be what {(response is null ? "an exception" : "a response")} means.");
        }
        catch (Exception e)
        {
            ClassifierFailed(logger, e, call.ClientName, classifier.GetType().Name);
            return builtIn;
        }

        return after == before ? builtIn : AttemptResult.Of(after, builtIn.StatusCode);
    }

    private void NotifyOfHint(HttpCall call, HttpResponseMessage response)
    {
        if (RetryAfter.UnreadableIn(response.Headers) is not { } field)
            return;
        string value = response.Headers.NonValidated[field].ToString();
        HintIgnored(logger, call.ClientName, (int)response.StatusCode, field, Redaction.Clean(value[..Math.Min(value.Length, MaxHint)]));
    }

    [LoggerMessage(407, LogLevel.Error, "{ClientName}: {Classifier} failed, the built-in classification stands")]
    private static partial void ClassifierFailed(ILogger logger, Exception exception, string clientName, string classifier);

    [LoggerMessage(410, LogLevel.Debug, "{ClientName}: a {StatusCode} asks to wait in a way that cannot be read, {Field}: {Value}")]
    private static partial void HintIgnored(ILogger logger, string clientName, int statusCode, string field, string value);
}
