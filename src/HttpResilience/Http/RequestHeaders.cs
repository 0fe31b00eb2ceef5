using System.Runtime.CompilerServices;

namespace HttpResilience;

/// <summary>The header fields of a request, without making the collection of a request that has none.</summary>
internal static class RequestHeaders
{
    private static readonly bool MayBeAsked = TryAsk();

    extension(HttpRequestMessage request)
    {
        /// <summary>Whether the request may have header fields: false for one whose collection nobody has asked for.</summary>
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
