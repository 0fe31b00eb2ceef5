namespace HttpResilience;

/// <summary>What kind of failure an attempt, or a whole call, ended with.</summary>
public enum FailureClass
{
    /// <summary>No failure: 1xx, 2xx or 3xx (RFC 9110 §15.2–15.4).</summary>
    None,

    /// <summary>Expected to pass by itself: no connection, a reset, a timeout, 408, 421, 425, 502, 503, 504, an open circuit, or an integration that is paused.</summary>
    Transient,

    /// <summary>The server failed while it worked on the request: 500 and the other 5xx except 501 and 505.</summary>
    ServerError,

    /// <summary>The server asks for a slower pace: 429 (RFC 6585 §4), or the client's own limit was reached.</summary>
    RateLimited,

    /// <summary>The credentials were not accepted: 401, 407.</summary>
    Authentication,

    /// <summary>The credentials do not allow this: 403.</summary>
    Authorization,

    /// <summary>There is no such resource: 404, 410.</summary>
    NotFound,

    /// <summary>The request does not fit the state of the resource: 409.</summary>
    Conflict,

    /// <summary>The data was refused: 400, 422.</summary>
    Validation,

    /// <summary>Sending the same again cannot help: other 4xx, 501, 505, a certificate that is not trusted, a programming error.</summary>
    Permanent,

    /// <summary>The caller cancelled the call.</summary>
    Cancelled,
}
