using System.Diagnostics;
using System.Globalization;

namespace HttpResilience;

/// <summary>
/// The tags of metrics and spans: names and values of the OpenTelemetry semantic conventions for HTTP clients, and of the platform's
/// metrics where the conventions leave a choice. Tags have few values: no path, key or tenant.
/// </summary>
internal static class TelemetryTags
{
    internal const string Client = "http.resilience.client";
    internal const string StopReason = "http.resilience.stop_reason";
    internal const string Attempts = "http.resilience.attempts";
    internal const string CircuitState = "http.resilience.circuit.state";
    internal const string CircuitScope = "http.resilience.circuit.scope";
    internal const string ObservedLimit = "http.resilience.limit";
    internal const string DeadLetterStatus = "http.resilience.dead_letter.status";
    internal const string Method = "http.request.method";
    internal const string ResendCount = "http.request.resend_count";
    internal const string StatusCode = "http.response.status_code";
    internal const string ServerAddress = "server.address";
    internal const string ServerPort = "server.port";
    internal const string ErrorType = "error.type";

    /// <summary>The version of the meter and the activity source.</summary>
    internal static readonly string Version = typeof(TelemetryTags).Assembly.GetName().Version!.ToString(3);

    /// <summary>A method that the conventions list; <c>_OTHER</c> for any other, which bounds the number of values.</summary>
    internal static string MethodOf(HttpMethod method) => method.IsKnownToTelemetry ? HttpMethod.Parse(method.Method).Method : "_OTHER";

    /// <summary>The error type of a call, also when a stale response has answered it.</summary>
    internal static string? ErrorTypeOf(HttpCall call, int? status, Exception? exception) => call.IsStale
        ? ErrorTypeOf(call.FailureClass, call.Masked.Status, call.Masked.Exception)
        : ErrorTypeOf(call.FailureClass, status, exception);

    /// <summary>The error type: the status, the kind of a transport error, or the type of the exception; null without an error.</summary>
    /// <param name="failure">The failure class of the response, regardless of its status.</param>
    internal static string? ErrorTypeOf(FailureClass failure, int? status, Exception? exception) => exception switch
    {
        null => failure is FailureClass.None ? null : status?.ToString(CultureInfo.InvariantCulture),
        OperationCanceledException { InnerException: TimeoutException } => "timeout",
        HttpRequestException e when e.GetType() == typeof(HttpRequestException) && NameOf(e.HttpRequestError) is { } name => name,
        _ => exception.GetType().FullName,
    };

    /// <summary>The tags of a client and a host.</summary>
    internal static TagList Of(string clientName, Uri? uri)
    {
        var tags = new TagList { { Client, clientName } };
        if (uri is { IsAbsoluteUri: true })
            AddServer(ref tags, new(uri));
        return tags;
    }

    /// <inheritdoc cref="Of(string, Uri?)"/>
    internal static TagList Of(string clientName, HttpAuthority authority)
    {
        var tags = new TagList { { Client, clientName } };
        AddServer(ref tags, authority);
        return tags;
    }

    private static void AddServer(ref TagList tags, HttpAuthority authority)
    {
        tags.Add(ServerAddress, authority.Host);
        if (authority.Port >= 0)
            tags.Add(ServerPort, authority.Port);
    }

    private static string? NameOf(HttpRequestError? error) => error switch
    {
        HttpRequestError.NameResolutionError => "name_resolution_error",
        HttpRequestError.ConnectionError => "connection_error",
        HttpRequestError.SecureConnectionError => "secure_connection_error",
        HttpRequestError.HttpProtocolError => "http_protocol_error",
        HttpRequestError.ExtendedConnectNotSupported => "extended_connect_not_supported",
        HttpRequestError.VersionNegotiationError => "version_negotiation_error",
        HttpRequestError.UserAuthenticationError => "user_authentication_error",
        HttpRequestError.ProxyTunnelError => "proxy_tunnel_error",
        HttpRequestError.InvalidResponse => "invalid_response",
        HttpRequestError.ResponseEnded => "response_ended",
        HttpRequestError.ConfigurationLimitExceeded => "configuration_limit_exceeded",
        _ => null,
    };
}
