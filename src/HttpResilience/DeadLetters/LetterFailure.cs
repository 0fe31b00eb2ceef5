namespace HttpResilience;

/// <summary>The failure of a call as its letter records it.</summary>
/// <param name="StatusCode">The status of the response; null when there was none.</param>
/// <param name="ErrorType">The type name of the exception; null when there was a response.</param>
/// <param name="Title">The error text of the API or the exception, on one line and without secrets of the request.</param>
/// <param name="Detail">The detail of a problem (RFC 9457).</param>
/// <param name="RetryAfter">The wait that the server or the circuit asks for; null when there is none.</param>
internal readonly record struct LetterFailure(int? StatusCode, string? ErrorType, string? Title, string? Detail, TimeSpan? RetryAfter)
{
    internal static LetterFailure Of(Exception exception, HttpRequestMessage request, HttpCall call) => new(
        (int?)(exception as HttpRequestException)?.StatusCode, exception.GetType().Name,
        call.Policy.Logging.Redaction.Scrub(exception, request), null, (exception as RejectedException)?.RetryAfter);

    internal static async ValueTask<LetterFailure> OfAsync(
        HttpResponseMessage response, HttpRequestMessage request, HttpCall call, AttemptClassifier classifier, TimeProvider time,
        bool async, CancellationToken cancellationToken)
    {
        var (redaction, maxBytes) = (call.Policy.Logging.Redaction, call.Policy.Logging.ErrorBodyBytes);
        var problem = maxBytes == 0 ? null
            : await ErrorBody.PeekProblemAsync(response, maxBytes, time, async, cancellationToken).ConfigureAwait(false);
        return new(
            (int)response.StatusCode, null, problem is { } text ? redaction.Scrub(text.Title, request, response)
                : response.ReasonPhrase is { } reason ? redaction.Scrub(reason, request, response) : null,
            problem?.Detail is { } detail ? redaction.Scrub(detail, request, response) : null,
            call.Policy.Retry.ShouldRetryAfterHeader ? classifier.ClassifyHead(response, call).RetryAfter : null);
    }
}
