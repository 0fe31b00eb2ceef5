using Microsoft.Extensions.Http.Resilience;

namespace HttpResilience.Migration;

/// <summary>The share of first attempts that an endpoint gets by the weight of its group and its own weight in it.</summary>
internal static class EndpointShares
{
    private const double Total = 1_000_000;

    internal static IReadOnlyList<(string Uri, int Weight)> Of(IReadOnlyList<WeightedUriEndpointGroup> groups)
    {
        double all = groups.Sum(g => (double)g.Weight);
        return Merge(groups.SelectMany(g => Of(g.Endpoints, g.Weight / all)));
    }

    internal static IReadOnlyList<(string Uri, int Weight)> Of(UriEndpointGroup group) => Merge(Of(group.Endpoints, 1));

    /// <summary>Scheme, host and port: a standard handler keeps the path of the request, and ignores a user of the endpoint.</summary>
    internal static string RootOf(Uri? uri) => uri is { IsAbsoluteUri: true }
        ? $"{uri.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped)}/" : $"{uri}";

    private static IEnumerable<(string Uri, double Share)> Of(IList<WeightedUriEndpoint> endpoints, double share)
    {
        double all = endpoints.Sum(e => (double)e.Weight);
        return endpoints.Select(e => (RootOf(e.Uri), share * e.Weight / all));
    }

    // An endpoint may be in several groups.
    private static IReadOnlyList<(string Uri, int Weight)> Merge(IEnumerable<(string Uri, double Share)> shares) =>
        [.. shares.GroupBy(s => s.Uri).Select(g => (g.Key, Math.Max(1, (int)Math.Round(g.Sum(s => s.Share) * Total))))];
}
