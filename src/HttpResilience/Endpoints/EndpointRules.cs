namespace HttpResilience;

/// <summary>In which order the endpoints of an API are considered for an attempt.</summary>
internal static class EndpointRules
{
    /// <summary>The endpoints by preference: those that the call has not tried first, and last the one that it tried last.</summary>
    /// <param name="tried">The endpoints that the call has tried, as bits.</param>
    /// <param name="last">The one that it tried last; -1 for none.</param>
    /// <param name="position">In [0, 1): which endpoint a call of <see cref="EndpointMode.Weighted"/> gets.</param>
    /// <param name="order">Gets the indexes of all endpoints.</param>
    internal static void Order(EndpointsPolicy policy, int tried, int last, double position, Span<int> order)
    {
        int count = 0;
        count += Add(policy, index => !Has(tried, index), position, order);
        count += Add(policy, index => Has(tried, index) && index != last, position, order[count..]);
        if (count < policy.All.Length)
            order[count] = last;
    }

    private static int Add(EndpointsPolicy policy, Func<int, bool> isMeant, double position, Span<int> order)
    {
        int count = 0;
        long weight = 0;
        for (int index = 0; index < policy.All.Length; index++)
        {
            if (!isMeant(index))
                continue;
            order[count++] = index;
            weight += policy.All[index].Weight;
        }

        if (policy.Mode is EndpointMode.Weighted)
            Draw(policy, weight, position, order[..count]);
        return count;
    }

    // Each draw leaves a position that is spread evenly over what its endpoint had, and serves the next one.
    private static void Draw(EndpointsPolicy policy, long weight, double position, Span<int> order)
    {
        for (int drawn = 0; drawn < order.Length - 1; drawn++)
        {
            double at = position * weight;
            int place = drawn;
            while (place < order.Length - 1 && at >= policy.All[order[place]].Weight)
                at -= policy.All[order[place++]].Weight;
            int index = order[place];
            order[drawn..place].CopyTo(order[(drawn + 1)..]);
            order[drawn] = index;
            position = Math.Clamp(at / policy.All[index].Weight, 0, 1 - 1e-9);
            weight -= policy.All[index].Weight;
        }
    }

    /// <summary>Whether a call that failed at one endpoint may go to another.</summary>
    /// <param name="isIdempotent">Its method is safe or idempotent (RFC 9110 §9.2).</param>
    /// <param name="mayHaveBeenProcessed">An attempt of it, this or an earlier one, may have been processed.</param>
    internal static bool MayMove(EndpointsPolicy policy, bool isIdempotent, bool mayHaveBeenProcessed) =>
        policy.SharesKeys || isIdempotent || !mayHaveBeenProcessed;

    /// <summary>The URI of a request at an endpoint.</summary>
    /// <param name="basePath">
    /// The path of the base address that the request was made with; null when there is none. A path that is not below it stays.
    /// </param>
    internal static Uri UriAt(Endpoint endpoint, Uri asked, string? basePath)
    {
        string path = asked.GetComponents(UriComponents.PathAndQuery, UriFormat.UriEscaped);
        string own = endpoint.Uri.AbsolutePath;
        if (own.Length > 1 && basePath?.TrimEnd('/') is { } before && IsBelow(path, before))
            path = $"{own.TrimEnd('/')}{(path.AsSpan(before.Length) is ['/', ..] rest ? rest : $"/{path.AsSpan(before.Length)}")}";

        string fragment = asked.GetComponents(UriComponents.Fragment | UriComponents.KeepDelimiter, UriFormat.UriEscaped);
        string authority = endpoint.Uri.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);
        return new($"{authority}{path}{fragment}", UriKind.Absolute);
    }

    // Of whole segments: /v10 is not below /v1.
    private static bool IsBelow(string path, string basePath) => path.StartsWith(basePath, StringComparison.Ordinal)
        && (path.Length == basePath.Length || path[basePath.Length] is '/' or '?');

    private static bool Has(int tried, int index) => (tried & (1 << index)) != 0;
}
