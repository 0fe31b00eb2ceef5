using System.Net;

namespace HttpResilience;

/// <summary>One try on the wire.</summary>
/// <param name="StatusCode">The status of the response; null when there was none.</param>
/// <param name="FailureClass">What kind of failure it was; <see cref="FailureClass.None"/> for a success.</param>
/// <param name="ErrorType">The type name of the exception; null when there was a response.</param>
/// <param name="Elapsed">From the start of the attempt to its response headers or failure.</param>
public readonly record struct HttpAttempt(HttpStatusCode? StatusCode, FailureClass FailureClass, string? ErrorType, TimeSpan Elapsed);
