using System.Collections.Immutable;

namespace HttpResilience;

/// <summary>An immutable snapshot of <see cref="EndpointsOptions"/>.</summary>
internal sealed class EndpointsPolicy(EndpointsOptions options)
{
    internal EndpointMode Mode { get; } = options.Mode;

    internal bool SharesKeys { get; } = options.SharesKeys;

    internal ImmutableArray<Endpoint> All { get; } = [.. options.Uris.Select((uri, index) =>
        new Endpoint(new(uri), options.Weights.Count > 0 ? options.Weights[index] : 1))];

    internal static EndpointsPolicy? From(EndpointsOptions options) => options.Uris.Count > 0 ? new(options) : null;

    /// <summary>The path of an endpoint; null when none has the authority.</summary>
    internal string? PathAt(HttpAuthority authority)
    {
        foreach (var endpoint in All)
        {
            if (endpoint.Authority.Equals(authority))
                return endpoint.Uri.AbsolutePath;
        }

        return null;
    }
}

/// <summary>One of several addresses of an API.</summary>
/// <param name="Uri">Its base address.</param>
/// <param name="Weight">Its share of the calls, in those of all endpoints.</param>
internal sealed record Endpoint(Uri Uri, int Weight)
{
    internal HttpAuthority Authority { get; } = new(Uri);
}
