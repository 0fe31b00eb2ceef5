using System.Net;

namespace HttpResilience;

/// <summary>One attempt of a call: a request that was sent.</summary>
/// <param name="StatusCode">The status of the response; null when there was no response.</param>
/// <param name="FailureClass">The kind of failure; <see cref="FailureClass.None"/> for a success.</param>
/// <param name="ErrorType">The type name of the exception; null when there was a response.</param>
/// <param name="Elapsed">Time from the start of the attempt to its response headers or failure.</param>
public readonly record struct HttpAttempt(HttpStatusCode? StatusCode, FailureClass FailureClass, string? ErrorType, TimeSpan Elapsed);
