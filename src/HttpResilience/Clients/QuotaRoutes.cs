namespace HttpResilience;

/// <summary>
/// Which parts of an API the requests belong to, as their responses have named them: a request is sent before its part is known, so that
/// of the requests before it with the same method and the same beginning of the path counts. Not safe for threads.
/// </summary>
internal sealed class QuotaRoutes
{
    private const int MaxRoutes = 1000;
    private const int MaxParts = 8;

    private readonly Dictionary<string, string[]> _parts = new(StringComparer.Ordinal);

    /// <summary>The parts of a request; empty when they are not known.</summary>
    internal IReadOnlyList<string> PartsOf(in QuotaRoute route)
    {
        if (_parts.Count == 0)
            return [];
        foreach (string key in route.Keys)
        {
            if (_parts.TryGetValue(key, out var parts))
                return parts;
        }

        return [];
    }

    /// <summary>A response has named the parts of its request.</summary>
    internal void Learn(in QuotaRoute route, IReadOnlyList<string> parts)
    {
        bool isExact = true;
        foreach (string key in route.Keys)
        {
            if (!_parts.TryGetValue(key, out var known))
            {
                if (_parts.Count < MaxRoutes)
                    _parts[key] = [.. parts.Take(MaxParts)];
            }
            else if (isExact ? !known.SequenceEqual(parts) : known.Except(parts).Any())
            {
                // What all requests of a longer path have in common is that of one which is not known.
                _parts[key] = isExact ? [.. parts.Take(MaxParts)] : [.. known.Intersect(parts)];
            }

            isExact = false;
        }
    }
}

/// <summary>Where a request goes: its method and the beginning of its path.</summary>
internal readonly record struct QuotaRoute(string Method, string Path)
{
    private const int MaxKey = 100;

    /// <summary>The method with two segments of the path, with one, and alone.</summary>
    internal IEnumerable<string> Keys
    {
        get
        {
            int first = Path.IndexOf('/', Math.Min(1, Path.Length));
            int second = first < 0 ? -1 : Path.IndexOf('/', first + 1);
            string two = second < 0 ? Path : Path[..second];
            if (first >= 0)
                yield return Key(two);
            yield return Key(first < 0 ? Path : Path[..first]);
            yield return Key("");
        }
    }

    internal static QuotaRoute Of(HttpMethod method, Uri? uri) =>
        new(method.Method, uri is { IsAbsoluteUri: true } ? uri.AbsolutePath : "");

    /// <summary>A response to such a request has named parts of the API.</summary>
    internal void Learn(HostState host, List<QuotaReport> reports)
    {
        if (reports.Exists(r => r.Part is not null))
            host.GetOrAddQuotas().Learn(this, reports);
    }

    private string Key(string path) => $"{Method} {(path.Length > MaxKey ? path[..MaxKey] : path)}";
}
