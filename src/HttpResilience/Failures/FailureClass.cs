namespace HttpResilience;

/// <summary>The kind of failure that an attempt or a whole call ended with.</summary>
public enum FailureClass
{
    /// <summary>No failure: 1xx, 2xx or 3xx (RFC 9110 §15.2–15.4).</summary>
    None,

    /// <summary>
    /// Expected to pass without action: no connection, a reset, a timeout, 408, 421, 425, 502, 503, 504, an open circuit, or a paused
    /// client.
    /// </summary>
    Transient,

    /// <summary>The server failed while it processed the request: 500 and the other 5xx except 501 and 505.</summary>
    ServerError,

    /// <summary>Too many requests: 429 (RFC 6585 §4), or the client's own limit was reached.</summary>
    RateLimited,

    /// <summary>The credentials were not accepted: 401, 407.</summary>
    Authentication,

    /// <summary>The credentials do not allow this: 403.</summary>
    Authorization,

    /// <summary>The resource does not exist: 404, 410.</summary>
    NotFound,

    /// <summary>The request conflicts with the state of the resource: 409.</summary>
    Conflict,

    /// <summary>The server rejected the data: 400, 422.</summary>
    Validation,

    /// <summary>Sending the same request again cannot help: other 4xx, 501, 505, an untrusted certificate, a programming error.</summary>
    Permanent,

    /// <summary>The caller cancelled the call.</summary>
    Cancelled,
}
