namespace HttpResilience;

/// <summary>
/// Decides which responses are cached, used and invalidated. Sources: RFC 9111 §3 and §4, for a private cache; RFC 5861 §4.
/// </summary>
internal static class FallbackRules
{
    /// <summary>Whether the field asks for a part of a response, or makes the request conditional: such a request is not cached.</summary>
    internal static bool IsConditional(string field) =>
        field.Equals("Range", StringComparison.OrdinalIgnoreCase) || field.StartsWith("If-", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Whether a stale response may answer a failed call: the API may recover without a change of the request.
    /// </summary>
    /// <param name="status">The status of the response; null when the call ended with an exception.</param>
    /// <param name="failureClass">The failure class of the call.</param>
    internal static bool AllowsStale(int? status, FailureClass failureClass) => status switch
    {
        501 or 505 => failureClass is not FailureClass.None,
        429 => failureClass is FailureClass.RateLimited,
        >= 400 and < 500 => false,
        _ => CallOutcome.IsOutage(failureClass) || failureClass is FailureClass.RateLimited,
    };

    /// <summary>Whether a response may be cached.</summary>
    /// <param name="fields">Its header fields.</param>
    /// <param name="asked">The directives of the request.</param>
    internal static bool MayBeKept(int status, ResponseFields fields, CacheControl asked)
    {
        var control = fields.CacheControl;
        if (status is < 200 or >= 300 or 206 || asked.NoStore
            || control is { NoStore: true } or { NoCache: true } or { MustRevalidate: true })
            return false;
        foreach (string vary in fields.Of("Vary"))
        {
            foreach (var member in vary.AsSpan().Split(','))
            {
                var name = vary.AsSpan()[member].Trim(" \t");
                // The star is a token, but no field name.
                if (!name.IsEmpty && (name is "*" || !HttpToken.IsValid(name) || RequestFields.IsOfOneMessage(name.ToString())))
                    return false;
            }
        }

        // Other statuses are cached only with an explicit freshness.
        return status is 200 or 203 or 204 || control.MaxAge is not null || fields.Of("Expires").Any();
    }

    /// <summary>Whether a response replaces the cached one: the resource has changed or is gone, or the caller has lost access.</summary>
    internal static bool Supersedes(FailureClass failureClass) =>
        failureClass is FailureClass.None or FailureClass.Authentication or FailureClass.Authorization or FailureClass.NotFound;

    /// <summary>Whether a cached response may be used now.</summary>
    /// <param name="age">Its age (RFC 9111 §4.2.3).</param>
    /// <param name="lifetime">Its freshness lifetime.</param>
    /// <param name="staleFor">How long after that it may be used.</param>
    /// <param name="asked">The directives of the request.</param>
    internal static bool Answers(TimeSpan age, TimeSpan lifetime, TimeSpan staleFor, CacheControl asked) =>
        !asked.NoStore && !asked.NoCache && age <= lifetime + staleFor && !(age > asked.MaxAge) && !(asked.MinFresh > lifetime - age);

    /// <summary>Whether a call with the method may invalidate cached responses (RFC 9111 §4.4).</summary>
    internal static bool MayInvalidate(HttpMethod method) => !method.IsSafe;

    /// <summary>Whether a call invalidates the cached responses of its URI.</summary>
    internal static bool Invalidates(HttpMethod method, int status, FailureClass failureClass) =>
        MayInvalidate(method) && failureClass is FailureClass.None && status is >= 200 and < 400;
}
