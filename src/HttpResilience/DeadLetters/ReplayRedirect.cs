using System.Net;

namespace HttpResilience;

/// <summary>
/// Decides about a redirect of a replay (RFC 9110 §15.4): 307 and 308 ask for the same request at another address; every other one may be
/// the answer to a request that was processed, or a login page.
/// </summary>
internal static class ReplayRedirect
{
    /// <summary>The maximum number of redirects that a replay follows.</summary>
    internal const int MaxFollowed = 3;

    private const string CheckTarget = "Check where the redirect leads and whether it was processed; then resolve it, or replay it";
    private const string CheckChain = "Check where its redirects lead, then replay it";

    /// <summary>The status of a redirect.</summary>
    /// <param name="method">The method of the letter.</param>
    /// <returns>Null when the response is none.</returns>
    internal static HttpStatusCode? StatusOf(HttpResponseMessage response, string method)
    {
        if (IsRedirect(response))
            return response.StatusCode;
        // A primary handler whose redirects cannot be switched off has followed one.
        return response.RequestMessage is { } sent
            && (RedirectDetector.HasFollowed(sent) || (sent.Method == HttpMethod.Get && new HttpMethod(method) != HttpMethod.Get))
            ? HttpStatusCode.Found : null;
    }

    /// <summary>Whether the request asks for the same request elsewhere, and was not processed.</summary>
    internal static bool KeepsRequest(HttpStatusCode status) =>
        status is HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;

    /// <summary>Where a redirect leads; null when it does not say so.</summary>
    /// <param name="sentTo">The address that answered.</param>
    internal static Uri? TargetOf(HttpResponseMessage response, Uri sentTo)
    {
        var target = IsRedirect(response) ? response.Headers.Location : response.RequestMessage?.RequestUri;
        return target is not null && Uri.TryCreate(sentTo, target, out var absolute) && HttpAuthority.IsHttp(absolute)
            ? LetterUri.Of(absolute, []).Uri : null;
    }

    /// <summary>Decides before the gate that every address of a letter passes.</summary>
    /// <param name="followed">How many redirects the replay has followed.</param>
    /// <returns>Null when it may be followed.</returns>
    internal static DeadLetterDecision? Review(HttpStatusCode status, Uri? target, int followed)
    {
        if (!KeepsRequest(status))
            return new(DeadLetterStatus.RequiresReview, TimeSpan.Zero, CheckTarget);
        return target is null || followed >= MaxFollowed ? new(DeadLetterStatus.RequiresReview, TimeSpan.Zero, CheckChain) : null;
    }

    private static bool IsRedirect(HttpResponseMessage response) => (int)response.StatusCode is >= 300 and < 400;
}
