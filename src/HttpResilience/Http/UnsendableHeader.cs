using System.Text;

namespace HttpResilience;

/// <summary>
/// A header field that cannot be sent: RFC 9110 §5.5 allows ASCII, unless the application sets an encoding on the primary handler. The
/// platform finds out while it writes the head, before anything is on the wire.
/// </summary>
internal static class UnsendableHeader
{
    /// <summary>Whether a header field of the request is the reason for the exception, which does not say so itself.</summary>
    internal static bool Explains(Exception exception, HttpRequestMessage request) =>
        exception is HttpRequestException { HttpRequestError: HttpRequestError.Unknown, InnerException: null, StatusCode: null }
        && (IsIn(request.Headers.NonValidated) || (request.Content is { } content && IsIn(content.Headers.NonValidated)));

    private static bool IsIn(System.Net.Http.Headers.HttpHeadersNonValidated headers)
    {
        foreach (var (_, values) in headers)
        {
            foreach (string value in values)
            {
                if (!Ascii.IsValid(value))
                    return true;
            }
        }

        return false;
    }
}
