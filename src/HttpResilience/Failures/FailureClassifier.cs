using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using Polly;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace HttpResilience;

/// <summary>
/// Classifies responses and exceptions. Sources: RFC 9110 §9.2.2 (idempotent methods) and §15,
/// RFC 6585 §4 (429), RFC 8470 §5.2 (425), RFC 9110 §15.5.20 (421), RFC 9113 §6.8, §8.7 and RFC 9114 §8.1 (rejected streams).
/// </summary>
internal static class FailureClassifier
{
    /// <summary>Classifies a response. The headers are read only for a failure.</summary>
    /// <param name="keyed">The call carries an idempotency key.</param>
    /// <param name="now">The time that dates are compared with when the response has no <c>Date</c>.</param>
    /// <param name="mayBeInFlight">An earlier attempt of the call may have been processed.</param>
    internal static AttemptResult Classify(HttpResponseMessage response, bool keyed, DateTimeOffset now, bool mayBeInFlight = false)
    {
        int status = (int)response.StatusCode;
        TimeSpan? retryAfter = RetryAfter.Of(response.Headers, now);
        // An exhausted quota gives the time of the next request; it does not show that this one was rejected.
        var quota = retryAfter is null ? RateLimitFields.Of(response.Headers, now, isRejected: status == 429) : null;
        return Of(status, retryAfter is not null, keyed, mayBeInFlight) with
        {
            RetryAfter = retryAfter ?? quota?.Wait,
            IsOfPartition = quota?.IsOfPartition is true,
            SaidRetry = ServerSaysRetry(response.Headers),
        };
    }

    /// <summary>The table of statuses.</summary>
    /// <param name="keyed">The call carries an idempotency key.</param>
    /// <param name="mayBeInFlight">An earlier attempt of the call may have been processed.</param>
    internal static AttemptResult Of(int status, bool hasRetryAfter, bool keyed, bool mayBeInFlight = false) => status switch
    {
        < 400 => AttemptResult.Success(status),
        // A server that names the time of the next request rejected this one before processing it.
        503 => Failed(status, FailureClass.Transient, retry: true, ambiguous: !hasRetryAfter, CircuitOutcome.Failure),
        408 or 502 or 504 => Failed(status, FailureClass.Transient, retry: true, ambiguous: true, CircuitOutcome.Failure),
        // RFC 9110 §15.5.14: a server that closes for a while to large requests says for how long.
        413 when hasRetryAfter => Failed(status, FailureClass.Transient, retry: true, ambiguous: false, CircuitOutcome.Success),
        421 or 425 => Failed(status, FailureClass.Transient, retry: true, ambiguous: false, CircuitOutcome.Success),
        429 => Failed(status, FailureClass.RateLimited, retry: true, ambiguous: false, CircuitOutcome.Success),
        401 or 407 => Failed(status, FailureClass.Authentication),
        403 => Failed(status, FailureClass.Authorization),
        404 or 410 => Failed(status, FailureClass.NotFound),
        // Draft Idempotency-Key §2.6: 409 for a key in use means that the first request is still being processed. Few servers send
        // Retry-After with it, but after an attempt without an answer the key is in use.
        409 => Failed(status, FailureClass.Conflict, retry: keyed && (hasRetryAfter || mayBeInFlight)),
        400 or 422 => Failed(status, FailureClass.Validation),
        501 or 505 => Failed(status, FailureClass.Permanent),
        >= 500 => Failed(status, FailureClass.ServerError, retry: true, ambiguous: true, CircuitOutcome.Failure),
        _ => Failed(status, FailureClass.Permanent),
    };

    /// <summary>
    /// Corrects the classification of a response by the type of its problem (draft-ietf-httpapi-ratelimit-headers): a quota that is
    /// exceeded is as 429, reduced capacity as a 503 with a hint, and a request of abnormal usage is not sent again.
    /// </summary>
    internal static AttemptResult OfProblem(in AttemptResult result, string? type)
    {
        const string Types = "https://iana.org/assignments/http-problem-types#";
        if (type is null || !type.StartsWith(Types, StringComparison.OrdinalIgnoreCase))
            return result;
        return type[Types.Length..] switch
        {
            "quota-exceeded" => As(result, 429),
            "temporary-reduced-capacity" => As(result, 503),
            "abnormal-usage-detected" => Failed(result.StatusCode!.Value, FailureClass.Permanent) with { SaidRetry = false },
            _ => result,
        };
    }

    /// <summary>The result of a request that was rejected for a limit, whatever its status.</summary>
    internal static AttemptResult AsRateLimited(in AttemptResult result) => As(result, 429);

    // Both mean that the request was not processed.
    private static AttemptResult As(in AttemptResult result, int status) => Of(status, hasRetryAfter: true, keyed: false) with
    {
        StatusCode = result.StatusCode,
        RetryAfter = result.RetryAfter,
        IsOfPartition = result.IsOfPartition,
        SaidRetry = result.SaidRetry,
    };

    /// <summary>Corrects the classification of a response when an earlier attempt of the call may have been processed.</summary>
    /// <param name="method">The method that the response answers.</param>
    internal static AttemptResult AfterAmbiguousAttempt(in AttemptResult result, HttpMethod method) =>
        // The earlier attempt may have deleted the resource (RFC 9110 §9.3.5).
        method == HttpMethod.Delete && result is { FailureClass: FailureClass.NotFound, StatusCode: 404 or 410 }
            ? AttemptResult.Success(result.StatusCode.Value) with { CircuitOutcome = CircuitOutcome.Neutral }
            : result;

    /// <summary>Classifies an exception.</summary>
    /// <param name="timedOut">The attempt ended after its timeout or the deadline of the call.</param>
    /// <param name="cancelled">The token of the attempt is cancelled.</param>
    internal static AttemptResult Classify(Exception exception, bool timedOut, bool cancelled) => exception switch
    {
        RejectedException rejected => Neutral(rejected.FailureClass),
        BrokenCircuitException => Neutral(FailureClass.Transient),
        OperationCanceledException { InnerException: TimeoutException timeout } when !cancelled && IsConnectTimeout(timeout) =>
            Transient(ambiguous: false),
        _ when timedOut => Transient(ambiguous: true),
        IdempotencyKeyReusedException => Permanent,
        // By the caller, or by another token: the stop token of the application, or a timer of one of its handlers.
        _ when cancelled || exception is OperationCanceledException { InnerException: not TimeoutException } => Cancelled,
        // Another timeout, such as that of an HttpClient of an inner handler, or one of Polly's.
        OperationCanceledException or TimeoutException or TimeoutRejectedException => Transient(ambiguous: true),
        // A limiter in a Polly pipeline: nothing was sent.
        ExecutionRejectedException => Neutral(FailureClass.RateLimited),
        // The status is the proxy's response to CONNECT (RFC 9110 §9.3.6); the server received nothing.
        HttpRequestException { HttpRequestError: HttpRequestError.ProxyTunnelError, StatusCode: { } status } =>
            NotSent(Of((int)status, hasRetryAfter: false, keyed: false)),
        HttpRequestException { StatusCode: { } status } => Of((int)status, hasRetryAfter: false, keyed: false),
        HttpRequestException e => Classify(e),
        SocketException e => Transient(ambiguous: !IsConnectFailure(e)),
        // Invalid data: of a body that cannot be decompressed.
        IOException or InvalidDataException => Transient(ambiguous: true),
        // A handler has blocked on a task.
        AggregateException { InnerExceptions: [var only] } => Classify(only, timedOut, cancelled),
        _ => Permanent,
    };

    /// <summary>The primary handler failed after the server may have received the request.</summary>
    internal static bool MayHaveBeenProcessed(Exception exception) => Classify(exception, timedOut: false, cancelled: false).IsAmbiguous;

    private static AttemptResult Classify(HttpRequestException e) => e.HttpRequestError switch
    {
        HttpRequestError.SecureConnectionError => IsUntrustedCertificate(e) ? Permanent : Transient(ambiguous: false),
        HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.ProxyTunnelError =>
            Transient(ambiguous: false),
        HttpRequestError.UserAuthenticationError => Permanent with { FailureClass = FailureClass.Authentication },
        // Of the response: the server has answered.
        HttpRequestError.ConfigurationLimitExceeded => Permanent with { IsAmbiguous = true },
        HttpRequestError.VersionNegotiationError or HttpRequestError.ExtendedConnectNotSupported => Permanent,
        HttpRequestError.Unknown when IsWrongLength(e) => Permanent with { IsAmbiguous = true },
        HttpRequestError.Unknown when IsWrongRequest(e) => Permanent,
        _ => Transient(ambiguous: !IsRejectedStream(e) && (e.InnerException is not SocketException socket || !IsConnectFailure(socket))),
    };

    // The server reset the stream before any processing (REFUSED_STREAM of HTTP/2, H3_REQUEST_REJECTED of HTTP/3), or ended the connection
    // before it got to the stream (GOAWAY). The platform repeats such a request a few times by itself; of a GOAWAY only its message tells
    // whether it included the stream (a trimmed program shows the resource key).
    private static bool IsRejectedStream(HttpRequestException e) =>
        e is { InnerException: HttpProtocolException { ErrorCode: 0x7 or 0x10b } }
        || (e is { HttpRequestError: HttpRequestError.HttpProtocolError, InnerException: HttpProtocolException }
            && e.SafeMessage is ("The request was aborted." or "net_http_request_aborted"));

    // The platform wraps the errors of a content and of a request that cannot be sent, such as a chunked one without a content. A disposed
    // object may be a connection.
    private static bool IsWrongRequest(HttpRequestException e) =>
        e.InnerException is InvalidOperationException and not ObjectDisposedException;

    // Content-Length is not the length of the content; only the message tells, and the resource key of a trimmed program.
    private static bool IsWrongLength(HttpRequestException e) => e is { InnerException: null, StatusCode: null }
        && e.SafeMessage is var message
        && (message.Contains("Content-Length promised", StringComparison.Ordinal)
            || message.Contains("exceed Content-Length", StringComparison.Ordinal)
            || message.Contains("net_http_request_content_length_mismatch", StringComparison.Ordinal)
            || message.Contains("net_http_content_write_larger_than_content_length", StringComparison.Ordinal));

    // SocketsHttpHandler.ConnectTimeout: only the message distinguishes it (a trimmed program shows the resource key).
    private static bool IsConnectTimeout(TimeoutException e) =>
        e.SafeMessage.Contains("ConnectTimeout", StringComparison.Ordinal)
        || e.SafeMessage.Contains("net_http_connect_timedout", StringComparison.Ordinal);

    // SslStream reports an untrusted certificate without an inner exception and a broken handshake with one; a response that is not TLS, as
    // an overloaded load balancer sends it, also has none. Only the message distinguishes them ("cert" is in the resource key too, which a
    // trimmed program shows).
    private static bool IsUntrustedCertificate(HttpRequestException e) =>
        e.InnerException is AuthenticationException { InnerException: null } cause
        && cause.SafeMessage.Contains("cert", StringComparison.OrdinalIgnoreCase);

    private static bool IsConnectFailure(SocketException e) => e.SocketErrorCode
        is SocketError.ConnectionRefused or SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData
        or SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostDown or SocketError.NetworkDown;

    private static bool? ServerSaysRetry(HttpResponseHeaders headers) =>
        Flag(headers, "X-Should-Retry") ?? Flag(headers, "Stripe-Should-Retry");

    private static bool? Flag(HttpResponseHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out var values) && values.Count == 1 && bool.TryParse(values.ToString(), out bool flag)
            ? flag
            : null;

    private static AttemptResult Cancelled => Neutral(FailureClass.Cancelled) with { IsAmbiguous = true };

    private static AttemptResult Permanent => Neutral(FailureClass.Permanent);

    private static AttemptResult Neutral(FailureClass failureClass) =>
        new() { FailureClass = failureClass, CircuitOutcome = CircuitOutcome.Neutral };

    private static AttemptResult Transient(bool ambiguous) =>
        Neutral(FailureClass.Transient) with { IsRetryable = true, IsAmbiguous = ambiguous, CircuitOutcome = CircuitOutcome.Failure };

    private static AttemptResult NotSent(in AttemptResult result) =>
        result.IsRetryable ? Transient(ambiguous: false) : Permanent with { FailureClass = result.FailureClass };

    private static AttemptResult Failed(
        int status, FailureClass failureClass, bool retry = false, bool ambiguous = false,
        CircuitOutcome outcome = CircuitOutcome.Success) =>
        new() { StatusCode = status, FailureClass = failureClass, IsRetryable = retry, IsAmbiguous = ambiguous, CircuitOutcome = outcome };
}
