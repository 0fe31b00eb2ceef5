using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;

namespace HttpResilience.Tests.Failures;

/// <summary>What an exception says about the attempt that it ended.</summary>
public sealed class ExceptionClassificationTests
{
    private static readonly AttemptResult NotSent = new()
    {
        FailureClass = FailureClass.Transient,
        IsRetryable = true,
        IsAmbiguous = false,
        CircuitOutcome = CircuitOutcome.Failure,
    };

    private static readonly AttemptResult Ambiguous = NotSent with { IsAmbiguous = true };

    private static readonly AttemptResult Permanent =
        new() { FailureClass = FailureClass.Permanent, CircuitOutcome = CircuitOutcome.Neutral };

    private static readonly AttemptResult Cancelled =
        new() { FailureClass = FailureClass.Cancelled, IsAmbiguous = true, CircuitOutcome = CircuitOutcome.Neutral };

    [Theory]
    [InlineData(HttpRequestError.NameResolutionError)]
    [InlineData(HttpRequestError.ConnectionError)]
    [InlineData(HttpRequestError.ProxyTunnelError)]
    [InlineData(HttpRequestError.SecureConnectionError)]
    public void A_connection_that_never_stood_has_carried_nothing(HttpRequestError error) =>
        Classify(new HttpRequestException(error)).ShouldMean(NotSent);

    [Theory]
    [InlineData(HttpRequestError.Unknown)]
    [InlineData(HttpRequestError.HttpProtocolError)]
    [InlineData(HttpRequestError.InvalidResponse)]
    [InlineData(HttpRequestError.ResponseEnded)]
    public void A_connection_that_broke_may_have_carried_the_request(HttpRequestError error) =>
        Classify(new HttpRequestException(error)).ShouldMean(Ambiguous);

    /// <summary>Of the head or the body of the response (MaxResponseHeadersLength, MaxResponseContentBufferSize).</summary>
    [Fact]
    public void A_response_that_is_too_long_shows_that_the_request_may_have_been_processed() =>
        Classify(new HttpRequestException(HttpRequestError.ConfigurationLimitExceeded)).ShouldMean(Permanent with { IsAmbiguous = true });

    [Fact]
    public void A_body_that_cannot_be_decompressed_is_a_broken_response() =>
        Classify(new InvalidDataException("The archive entry was compressed using an unsupported compression method."))
            .ShouldMean(Ambiguous);

    [Theory]
    [InlineData(HttpRequestError.VersionNegotiationError)]
    [InlineData(HttpRequestError.ExtendedConnectNotSupported)]
    public void A_failure_caused_by_settings_of_the_client_is_permanent(HttpRequestError error) =>
        Classify(new HttpRequestException(error)).ShouldMean(Permanent);

    [Fact]
    public void A_proxy_that_does_not_accept_the_credentials_is_an_authentication_failure() =>
        Classify(new HttpRequestException(HttpRequestError.UserAuthenticationError)).ShouldMean(
            Permanent with { FailureClass = FailureClass.Authentication });

    [Theory]
    [InlineData(SocketError.ConnectionRefused)]
    [InlineData(SocketError.HostNotFound)]
    [InlineData(SocketError.TryAgain)]
    [InlineData(SocketError.NoData)]
    [InlineData(SocketError.HostUnreachable)]
    [InlineData(SocketError.NetworkUnreachable)]
    [InlineData(SocketError.HostDown)]
    [InlineData(SocketError.NetworkDown)]
    public void A_socket_that_could_not_connect_has_carried_nothing(SocketError error)
    {
        Classify(new SocketException((int)error)).ShouldMean(NotSent);
        Classify(new HttpRequestException("x", new SocketException((int)error))).ShouldMean(NotSent);
    }

    [Theory]
    [InlineData(SocketError.ConnectionReset)]
    [InlineData(SocketError.ConnectionAborted)]
    [InlineData(SocketError.TimedOut)]
    [InlineData(SocketError.Shutdown)]
    [InlineData(SocketError.OperationAborted)]
    public void A_socket_that_broke_may_have_carried_the_request(SocketError error)
    {
        Classify(new SocketException((int)error)).ShouldMean(Ambiguous);
        Classify(new HttpRequestException("x", new SocketException((int)error))).ShouldMean(Ambiguous);
    }

    [Fact]
    public void A_reset_in_the_middle_of_the_exchange_may_have_carried_the_request() =>
        Classify(new HttpRequestException("x", new IOException("x", new SocketException((int)SocketError.ConnectionReset))))
            .ShouldMean(Ambiguous);

    [Theory]
    [InlineData(503, FailureClass.Transient, true)]
    [InlineData(500, FailureClass.Transient, true)]
    [InlineData(407, FailureClass.Authentication, false)]
    [InlineData(403, FailureClass.Authorization, false)]
    public void A_proxy_that_refuses_the_tunnel_has_carried_nothing(int status, FailureClass failureClass, bool isRetryable)
    {
        var result = Classify(new HttpRequestException(HttpRequestError.ProxyTunnelError, "x", null, (HttpStatusCode)status));

        (result.StatusCode, result.FailureClass, result.IsRetryable, result.IsAmbiguous).ShouldBe((null, failureClass, isRetryable, false));
    }

    [Fact]
    public void A_truncated_body_and_a_timeout_of_another_handler_are_ambiguous()
    {
        Classify(new IOException("x")).ShouldMean(Ambiguous);
        Classify(new HttpIOException(HttpRequestError.ResponseEnded)).ShouldMean(Ambiguous);
        Classify(new TimeoutException()).ShouldMean(Ambiguous);
        Classify(new TaskCanceledException("x", new TimeoutException())).ShouldMean(Ambiguous);
        Classify(new TaskCanceledException("x", new TimeoutException("The connection timed out."))).ShouldMean(Ambiguous);
    }

    /// <summary>A stop token of the application, or a timer of one of its handlers.</summary>
    [Fact]
    public void A_cancellation_by_another_token_is_neutral_and_not_repeated()
    {
        Classify(new OperationCanceledException()).ShouldMean(Cancelled);
        Classify(new OperationCanceledException(new CancellationToken(canceled: true))).ShouldMean(Cancelled);
        Classify(new TaskCanceledException()).ShouldMean(Cancelled);
        Classify(new TaskCanceledException("x", new IOException("x"))).ShouldMean(Cancelled);
    }

    /// <summary>REFUSED_STREAM (RFC 9113 §8.7) and H3_REQUEST_REJECTED (RFC 9114 §8.1).</summary>
    [Theory, InlineData(0x7), InlineData(0x10b)]
    public void A_stream_that_the_server_refused_was_not_processed(long code)
    {
        var stream = new HttpProtocolException(code, "x", innerException: null);

        Classify(new HttpRequestException(HttpRequestError.HttpProtocolError, "x", stream)).ShouldMean(NotSent);
        Classify(new HttpRequestException("x", stream)).ShouldMean(NotSent);
    }

    /// <summary>
    /// GOAWAY with a lower last stream (RFC 9113 §6.8). The message is that of the platform, and that of a trimmed program.
    /// </summary>
    [Theory]
    [InlineData(0x0, "The request was aborted.")]
    [InlineData(0x2, "The request was aborted.")]
    [InlineData(0xb, "The request was aborted.")]
    [InlineData(0x0, "net_http_request_aborted")]
    public void A_stream_that_a_closing_connection_left_out_was_not_processed(long code, string message)
    {
        var closed = new HttpProtocolException(code, "The HTTP/2 server closed the connection.", innerException: null);

        Classify(new HttpRequestException(HttpRequestError.HttpProtocolError, message, closed)).ShouldMean(NotSent);
        Classify(new HttpRequestException(HttpRequestError.HttpProtocolError, closed.Message, closed)).ShouldMean(Ambiguous);
        Classify(new HttpRequestException(HttpRequestError.HttpProtocolError, message, new IOException("x"))).ShouldMean(Ambiguous);
        Classify(new HttpRequestException(HttpRequestError.ResponseEnded, message, closed)).ShouldMean(Ambiguous);
    }

    [Theory, InlineData(0x1), InlineData(0x2), InlineData(0x8), InlineData(0xb), InlineData(0x10c), InlineData(0x107)]
    public void A_stream_that_was_reset_for_another_reason_may_have_been_processed(long code) =>
        Classify(new HttpRequestException(HttpRequestError.HttpProtocolError, "x", new HttpProtocolException(code, "x", null)))
            .ShouldMean(Ambiguous);

    /// <summary>The messages are those that the platform gives, the second in a trimmed program.</summary>
    [Theory]
    [InlineData("A connection could not be established within the configured ConnectTimeout.")]
    [InlineData("net_http_connect_timedout")]
    public void A_connection_that_was_not_established_in_time_has_carried_nothing(string message)
    {
        var exception = new TaskCanceledException("The operation was canceled.", new TimeoutException(message));

        Classify(exception).ShouldMean(NotSent);
        FailureClassifier.Classify(exception, timedOut: true, cancelled: false).ShouldMean(NotSent);
        FailureClassifier.Classify(exception, timedOut: false, cancelled: true).ShouldMean(Cancelled);
    }

    [Fact]
    public void The_chains_own_timer_is_an_ambiguous_failure_of_the_host_whatever_was_thrown()
    {
        FailureClassifier.Classify(new OperationCanceledException(), timedOut: true, cancelled: false).ShouldMean(Ambiguous);
        FailureClassifier.Classify(new OperationCanceledException(), timedOut: true, cancelled: true).ShouldMean(Ambiguous);
        FailureClassifier.Classify(new IOException("x"), timedOut: true, cancelled: false).ShouldMean(Ambiguous);
        FailureClassifier.Classify(new ObjectDisposedException("x"), timedOut: true, cancelled: false).ShouldMean(Ambiguous);
    }

    [Fact]
    public void The_callers_cancellation_is_neutral_whatever_was_thrown()
    {
        FailureClassifier.Classify(new OperationCanceledException(), timedOut: false, cancelled: true).ShouldMean(Cancelled);
        FailureClassifier.Classify(new TaskCanceledException(), timedOut: false, cancelled: true).ShouldMean(Cancelled);
        FailureClassifier.Classify(new HttpRequestException("x", new IOException("x")), timedOut: false, cancelled: true)
            .ShouldMean(Cancelled);
        FailureClassifier.Classify(new ObjectDisposedException("x"), timedOut: false, cancelled: true).ShouldMean(Cancelled);
    }

    [Fact]
    public void Our_own_open_circuit_says_nothing_new_about_the_host_and_is_not_retried()
    {
        var rejected = new AttemptResult { FailureClass = FailureClass.Transient, CircuitOutcome = CircuitOutcome.Neutral };

        Classify(new CircuitOpenException("https://a.example", null)).ShouldMean(rejected);
        FailureClassifier.Classify(new CircuitOpenException("https://a.example", null), timedOut: false, cancelled: true)
            .ShouldMean(rejected);
    }

    // The time of an attempt can be over in the queue before the limit: that is no timeout of the host.
    [Theory, InlineData(false), InlineData(true)]
    public void Our_own_limit_says_nothing_about_the_host_and_is_not_retried(bool timedOut) =>
        FailureClassifier.Classify(new RateLimitedException("https://a.example"), timedOut, cancelled: false)
            .ShouldMean(new AttemptResult { FailureClass = FailureClass.RateLimited, CircuitOutcome = CircuitOutcome.Neutral });

    [Fact]
    public void Programming_errors_are_permanent_and_neutral()
    {
        Classify(new InvalidOperationException()).ShouldMean(Permanent);
        Classify(new UriFormatException()).ShouldMean(Permanent);
        Classify(new ArgumentException("x")).ShouldMean(Permanent);
        Classify(new NotSupportedException()).ShouldMean(Permanent);
        Classify(new ObjectDisposedException("x")).ShouldMean(Permanent);
    }

    /// <summary>As of a chunked request without a content, or of a content that cannot be serialized.</summary>
    [Fact]
    public void Programming_errors_that_the_platform_wraps_are_permanent_and_neutral()
    {
        Classify(new HttpRequestException("An error occurred while sending the request.", new InvalidOperationException("x")))
            .ShouldMean(Permanent);
        Classify(new HttpRequestException("Error while copying content to a stream.", new ObjectDisposedException("a connection")))
            .ShouldMean(Ambiguous);
        Classify(new HttpRequestException("Error while copying content to a stream.", new IOException("x"))).ShouldMean(Ambiguous);
        Classify(new HttpRequestException("a handler says so")).ShouldMean(Ambiguous);
    }

    /// <summary>The messages are those that the platform gives, and those of a trimmed program.</summary>
    [Theory]
    [InlineData("Sent 5 request content bytes, but Content-Length promised 50.")]
    [InlineData("Unable to write content to request stream; content would exceed Content-Length.")]
    [InlineData("net_http_request_content_length_mismatch, 5, 50")]
    [InlineData("net_http_content_write_larger_than_content_length")]
    public void A_content_of_another_length_than_it_promised_is_a_programming_error(string message)
    {
        Classify(new HttpRequestException(message)).ShouldMean(Permanent with { IsAmbiguous = true });
        Classify(new HttpRequestException(message, new IOException("x"))).ShouldMean(Ambiguous);
    }

    [Fact]
    public void A_failure_that_a_blocked_task_has_wrapped_is_that_failure()
    {
        Classify(new AggregateException(new HttpRequestException(HttpRequestError.ConnectionError))).ShouldMean(NotSent);
        Classify(new AggregateException(new AggregateException(new TimeoutException()))).ShouldMean(Ambiguous);
        Classify(new AggregateException(new TaskCanceledException())).ShouldMean(Cancelled);
        Classify(new AggregateException(new ArgumentException("x"))).ShouldMean(Permanent);
        Classify(new AggregateException(new IOException("x"), new IOException("y"))).ShouldMean(Permanent);
    }

    [Theory]
    [InlineData(503, FailureClass.Transient, true)]
    [InlineData(500, FailureClass.ServerError, true)]
    [InlineData(404, FailureClass.NotFound, false)]
    public void A_handler_that_turned_a_status_into_an_exception_is_read_by_the_status(
        int status, FailureClass failureClass, bool isRetryable)
    {
        var result = Classify(new HttpRequestException("x", null, (HttpStatusCode)status));

        result.StatusCode.ShouldBe(status);
        result.FailureClass.ShouldBe(failureClass);
        result.IsRetryable.ShouldBe(isRetryable);
        result.IsAmbiguous.ShouldBe(status >= 500);
    }

    private static AttemptResult Classify(Exception exception) => FailureClassifier.Classify(exception, timedOut: false, cancelled: false);

    /// <summary>The messages are those that the platform gives.</summary>
    public sealed class Tls
    {
        [Theory]
        [InlineData("The remote certificate is invalid according to the validation procedure: RemoteCertificateNameMismatch, "
            + "RemoteCertificateChainErrors")]
        [InlineData("The remote certificate is invalid because of errors in the certificate chain: NotTimeValid")]
        [InlineData("The remote certificate was rejected by the provided RemoteCertificateValidationCallback.")]
        [InlineData("net_ssl_io_cert_validation, RemoteCertificateNameMismatch")]
        public void A_certificate_that_is_not_trusted_is_permanent_and_neutral(string message) =>
            Classify(Failed(new AuthenticationException(message))).ShouldMean(Permanent);

        [Fact]
        public void A_handshake_that_broke_has_carried_nothing()
        {
            Classify(Failed(new IOException("Received an unexpected EOF or 0 bytes from the transport stream."))).ShouldMean(NotSent);
            Classify(Failed(new AuthenticationException("Authentication failed, see inner exception.", new IOException("x"))))
                .ShouldMean(NotSent);
            Classify(Failed(null)).ShouldMean(NotSent);
        }

        // A load balancer on its knees answers in plain text.
        [Fact]
        public void An_answer_that_is_not_TLS_is_a_broken_handshake_not_a_bad_certificate() =>
            Classify(Failed(new AuthenticationException("Cannot determine the frame size or a corrupted frame was received.")))
                .ShouldMean(NotSent);

        private static HttpRequestException Failed(Exception? cause) =>
            new(HttpRequestError.SecureConnectionError, "The SSL connection could not be established, see inner exception.", cause);
    }
}
