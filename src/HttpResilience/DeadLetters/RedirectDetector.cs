namespace HttpResilience;

/// <summary>
/// Stands before a primary handler that may follow redirects by itself, in the pipeline that replays letters: a request that comes back
/// changed was redirected.
/// </summary>
internal sealed class RedirectDetector : DelegatingHandler
{
    private static readonly HttpRequestOptionsKey<bool> Followed = new("HttpResilience.FollowedRedirect");

    /// <summary>Whether the primary handler has followed a redirect of the request.</summary>
    internal static bool HasFollowed(HttpRequestMessage request) => request.Options.TryGetValue(Followed, out _);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var (method, uri) = (request.Method, request.RequestUri);
        var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        Compare(response.RequestMessage ?? request, method, uri);
        return response;
    }

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var (method, uri) = (request.Method, request.RequestUri);
        var response = base.Send(request, cancellationToken);
        Compare(response.RequestMessage ?? request, method, uri);
        return response;
    }

    private static void Compare(HttpRequestMessage sent, HttpMethod method, Uri? uri)
    {
        if (sent.Method != method || sent.RequestUri != uri)
            sent.Options.Set(Followed, true);
    }
}
