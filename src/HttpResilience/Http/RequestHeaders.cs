using System.Runtime.CompilerServices;

namespace HttpResilience;

/// <summary>Tells whether a request has header fields, without making the collection of one that has none.</summary>
internal static class RequestHeaders
{
    private static readonly bool MayBeAsked = TryAsk();

    extension(HttpRequestMessage request)
    {
        /// <summary>False when the request certainly has no header fields.</summary>
        internal bool MayHaveHeaders => !MayBeAsked || HasHeaders(request);
    }

    // Internal to the platform: where it has another name, the collection is made.
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_HasHeaders")]
    private static extern bool HasHeaders(HttpRequestMessage request);

    private static bool TryAsk()
    {
        try
        {
            return !HasHeaders(new());
        }
        catch (MissingMethodException)
        {
            return false;
        }
    }
}
