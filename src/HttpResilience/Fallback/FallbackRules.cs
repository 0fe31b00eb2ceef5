namespace HttpResilience;

/// <summary>What is kept, what it answers, and what makes it useless. Sources: RFC 9111 §3 and §4, for a private cache; RFC 5861 §4.</summary>
internal static class FallbackRules
{
    /// <summary>The method is one whose responses are kept.</summary>
    internal static bool IsRead(HttpMethod method) => method == HttpMethod.Get || method == HttpMethod.Head;

    /// <summary>The method changes nothing (RFC 9110 §9.2.1).</summary>
    internal static bool IsSafe(HttpMethod method) => IsRead(method) || method == HttpMethod.Options || method == HttpMethod.Trace;

    /// <summary>The field asks for a part of a response, or for one that depends on what the caller has already: a request with it is none of ours.</summary>
    internal static bool IsConditional(string field) =>
        field.Equals("Range", StringComparison.OrdinalIgnoreCase) || field.StartsWith("If-", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Whether a stale response may stand in for what the call ended with: the API may recover without a change of the request.
    /// </summary>
    /// <param name="status">The status of the response; null when the call ended with an exception.</param>
    /// <param name="failureClass">What it ended with.</param>
    internal static bool AllowsStale(int? status, FailureClass failureClass) => status switch
    {
        501 or 505 => failureClass is not FailureClass.None,
        429 => failureClass is FailureClass.RateLimited,
        >= 400 and < 500 => false,
        _ => CallOutcome.IsOutage(failureClass) || failureClass is FailureClass.RateLimited,
    };

    /// <summary>Whether a response may be kept.</summary>
    /// <param name="fields">Its header fields.</param>
    /// <param name="asked">What the request said.</param>
    internal static bool MayBeKept(int status, ResponseFields fields, CacheControl asked)
    {
        var said = fields.CacheControl;
        if (status is < 200 or >= 300 or 206 || asked.NoStore || said is { NoStore: true } or { NoCache: true } or { MustRevalidate: true })
            return false;
        foreach (string vary in fields.Of("Vary"))
        {
            foreach (var member in vary.AsSpan().Split(','))
            {
                var name = vary.AsSpan()[member].Trim(" \t");
                // The star is no name of a field, although it is a token.
                if (!name.IsEmpty && (name is "*" || !HttpToken.IsValid(name) || RequestFields.IsOfOneMessage(name.ToString())))
                    return false;
            }
        }

        // The others are not kept unless the server says so.
        return status is 200 or 203 or 204 || said.MaxAge is not null || fields.Of("Expires").Any();
    }

    /// <summary>Whether a response ends the use of what was kept before: that is no longer what the API would say, or no longer for this caller.</summary>
    internal static bool Supersedes(FailureClass failureClass) =>
        failureClass is FailureClass.None or FailureClass.Authentication or FailureClass.Authorization or FailureClass.NotFound;

    /// <summary>Whether a kept response may be the answer now.</summary>
    /// <param name="age">Its age (RFC 9111 §4.2.3).</param>
    /// <param name="lifetime">For how long it was fresh.</param>
    /// <param name="staleFor">For how long after that it may be used.</param>
    /// <param name="asked">What the request says.</param>
    internal static bool Answers(TimeSpan age, TimeSpan lifetime, TimeSpan staleFor, CacheControl asked) =>
        !asked.NoStore && !asked.NoCache && age <= lifetime + staleFor && !(age > asked.MaxAge) && !(asked.MinFresh > lifetime - age);

    /// <summary>Whether a call has changed what is kept of its URI.</summary>
    internal static bool Invalidates(HttpMethod method, int status, FailureClass failureClass) =>
        !IsSafe(method) && failureClass is FailureClass.None && status is >= 200 and < 400;
}
