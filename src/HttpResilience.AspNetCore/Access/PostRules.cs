using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace HttpResilience.AspNetCore;

/// <summary>What a request that changes something must carry, so that no other site can send it in a person's name.</summary>
internal static class PostRules
{
    internal const int MaxBodyBytes = 1024 * 1024;

    /// <summary>Whether the browser says that another site sent it (Fetch Metadata).</summary>
    internal static bool IsCrossSite(HttpRequest request) =>
        request.Headers["Sec-Fetch-Site"].Any(site => site is not ("same-origin" or "none"));

    /// <summary>
    /// Whether a request to this path, of the API or of the page, stops or undoes something. It is exempt from the limit, so that a person
    /// who has reached it can still stop what they began.
    /// </summary>
    /// <param name="path">As it was routed, with whatever prefix.</param>
    internal static bool StopsOrTakesBack(string path) => path.TrimEnd('/').ToUpperInvariant().Split('/') is
        [.., "JOBS", { Length: > 0 }, "STOP"] or [.., "LETTERS", { Length: > 0 }, "CANCEL"] or [.., "CIRCUITS", "RELEASE"]
        or [.., "CLIENTS", { Length: > 0 }, "RESUME" or "RELEASE"];

    /// <summary>Whether it is JSON: a form of another site cannot be.</summary>
    internal static bool IsJson(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
        && (type.Charset.Length == 0 || HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase))
        && request.Headers.ContentEncoding.All(encoding => encoding is null or "" or "identity");
}
