namespace HttpResilience;

/// <summary>
/// The application's own word on what a response or an exception means, for an API that does not say it with its status: a 200 whose body
/// is an error, a 403 that is a rate limit, a 400 that passes by itself.
/// </summary>
/// <remarks>
/// Register it as a singleton, for one client under its name (<c>AddKeyedSingleton&lt;IFailureClassifier, T&gt;("invoices")</c>) or for all
/// clients (<c>AddSingleton</c>). For single statuses <c>Retry:Statuses:&lt;status&gt;:FailureClass</c> does it without code.
/// </remarks>
/// <example>
/// By a header, and by the error body of an API that limits with 400:
/// <code>
/// public FailureClassification Classify(
///     HttpCall httpCall, HttpResponseMessage? response, Exception? exception, FailureClassification builtIn) =>
///     response?.Headers.Contains("X-Maintenance") is true ? new(FailureClass.Transient) { MayHaveBeenProcessed = false } : builtIn;
/// </code>
/// <code>
/// public bool ReadsErrorBody => true;
///
/// public FailureClassification Classify(
///     HttpCall httpCall, HttpResponseMessage? response, Exception? exception, FailureClassification builtIn) =>
///     response?.GetErrorBody().Span.IndexOf("ThrottlingException"u8) >= 0 ? new(FailureClass.RateLimited) : builtIn;
/// </code>
/// </example>
public interface IFailureClassifier
{
    /// <summary>
    /// The beginning of an error body is read before <see cref="Classify"/> is called, which gets it with <c>response.GetErrorBody()</c>:
    /// at most <c>Logging:ErrorBodyBytes</c>, for at most 5 seconds and not beyond the end of the attempt. The caller still gets the whole
    /// body. Default false: nothing is read.
    /// </summary>
    bool ReadsErrorBody => false;

    /// <summary>
    /// Classifies the result of an attempt. Called for every response, successes included, and every exception but a cancellation by the
    /// caller and what the chain itself throws. Its exceptions are logged as errors, and <paramref name="builtIn"/> is used.
    /// </summary>
    /// <param name="httpCall">The call, with the attempts before this one.</param>
    /// <param name="response">
    /// The response; null when there was none. Its body has been read, and can be read again synchronously, only when
    /// <c>Retry:IncludeResponseBody</c> is set and the status is a success; else reading it takes it from the caller. The beginning of an
    /// error body: <see cref="ReadsErrorBody"/>.
    /// </param>
    /// <param name="exception">The exception; null when there was a response.</param>
    /// <param name="builtIn">The chain's own classification: return it for every other result.</param>
    FailureClassification Classify(HttpCall httpCall, HttpResponseMessage? response, Exception? exception, FailureClassification builtIn);
}
