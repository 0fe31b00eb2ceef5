using System.Globalization;

namespace HttpResilience;

/// <summary>
/// Classifies the status of a gRPC call that the head of a response carries (a response of trailers only, in the gRPC protocol over
/// HTTP/2). A status in the trailers after a body comes too late for the chain.
/// </summary>
internal static class GrpcStatus
{
    private const string Field = "grpc-status";

    /// <returns>Null when the head has no status, or it is OK.</returns>
    internal static AttemptResult? Of(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues(Field, out var values)
        && int.TryParse(values.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out int code) && code != 0
            ? Of(code) with { StatusCode = (int)response.StatusCode } : null;

    /// <summary>By the HTTP status that google.rpc.Code documents for each code; an unknown code is UNKNOWN.</summary>
    internal static AttemptResult Of(int code) => FailureClassifier.Of(HttpStatusOf(code), hasRetryAfter: false, keyed: false);

    private static int HttpStatusOf(int code) => code switch
    {
        1 => 499, // CANCELLED
        3 or 9 or 11 => 400, // INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_RANGE
        4 => 504, // DEADLINE_EXCEEDED
        5 => 404, // NOT_FOUND
        6 or 10 => 409, // ALREADY_EXISTS, ABORTED
        7 => 403, // PERMISSION_DENIED
        8 => 429, // RESOURCE_EXHAUSTED
        12 => 501, // UNIMPLEMENTED
        14 => 503, // UNAVAILABLE
        16 => 401, // UNAUTHENTICATED
        _ => 500, // UNKNOWN, INTERNAL, DATA_LOSS
    };
}
