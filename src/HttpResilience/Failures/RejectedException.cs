using System.Net;

namespace HttpResilience;

/// <summary>
/// The chain rejected a call without sending a request (or a further one): the circuit is open (<see cref="CircuitOpenException"/>), a
/// limit is reached (<see cref="RateLimitedException"/>), or the client is paused (<see cref="IntegrationPausedException"/>). Catch this
/// type to handle all three. Attempts sent before the rejection are listed in the <see cref="HttpCall"/> (<c>exception.GetHttpCall()</c>).
/// It is an <see cref="HttpRequestException"/>, so code that handles a failed call handles it too.
/// </summary>
/// <remarks>
/// The host has not got the request if <c>exception.GetHttpCall()!.Attempts</c> is empty; else it may have processed it. A failure of this
/// call's own that led to the rejection is the <see cref="Exception.InnerException"/>, or the
/// <see cref="HttpRequestException.StatusCode"/> of a response.
/// </remarks>
/// <example>
/// <code>
/// catch (RejectedException e) when (e.RetryAfter is { } wait)
/// {
///     await queue.PutBackAsync(invoice, dueIn: wait);   // nothing was sent, or nothing more
/// }
/// </code>
/// </example>
public abstract class RejectedException : HttpRequestException
{
    private string? _message;

    private protected RejectedException(TimeSpan? retryAfter, Exception? innerException = null, HttpStatusCode? statusCode = null)
        : base(message: null, innerException, statusCode) => RetryAfter = retryAfter;

    /// <summary>Why the call was rejected. Composed when it is read: few of many rejections are.</summary>
    public sealed override string Message => _message ??= Describe();

    /// <summary>
    /// Scheme, host and port of the host the request was for, such as <c>https://api.example.com</c>; null when the rejection applies to
    /// the whole client (<see cref="IntegrationPausedException"/>).
    /// </summary>
    public abstract string? Authority { get; }

    /// <summary>How long, from now, until a call may be sent again; null when that is not known.</summary>
    public TimeSpan? RetryAfter { get; }

    /// <summary>The <c>HttpCall</c> that ended with it; null before its end.</summary>
    internal object? Call { get; set; }

    /// <summary>The reason under which a call ends that was rejected with this exception.</summary>
    internal abstract StopReason StopReason { get; }

    internal abstract FailureClass FailureClass { get; }

    private protected abstract string Describe();
}
