namespace HttpResilience;

/// <summary>
/// Finds the most specific of several patterns that match a request. A path is compared as it is, and as what follows the path of the base
/// address: with <c>https://api.example.com/v1/</c>, <c>/exports/*</c> and <c>/v1/exports/*</c> mean the same requests. The time is linear
/// in the length of the path.
/// </summary>
internal sealed class RouteTable(IReadOnlyList<RoutePattern> patterns)
{
    /// <param name="path">The absolute path of the request.</param>
    /// <param name="basePath">The absolute path of the base address; empty when there is none.</param>
    /// <returns>The index of the pattern; -1 for none.</returns>
    internal int Find(string method, ReadOnlySpan<char> path, ReadOnlySpan<char> basePath)
    {
        // What follows the last slash of a base address is replaced by a relative URI (RFC 3986 §5.2.3).
        var folder = basePath[..(basePath.LastIndexOf('/') + 1)];
        int above = folder.Length > 1 && path.StartsWith(folder, StringComparison.OrdinalIgnoreCase) ? folder[1..].Count('/') : 0;
        var below = above > 0 ? path[(folder.Length - 1)..] : default;
        int best = -1, textsOfBest = 0;
        for (int i = 0; i < patterns.Count; i++)
        {
            bool isBelow = above > 0 && patterns[i].Matches(method, below);
            if (!isBelow && !patterns[i].Matches(method, path))
                continue;
            // The folder of the base address is a text before the path.
            int texts = isBelow ? above : 0;
            if (best < 0 || patterns[i].CompareTo(patterns[best], texts, textsOfBest) is var order
                && (order < 0 || (order == 0 && texts > textsOfBest)))
                (best, textsOfBest) = (i, texts);
        }

        return best;
    }
}
