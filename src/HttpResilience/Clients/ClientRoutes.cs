namespace HttpResilience;

/// <summary>The policy of a client's calls.</summary>
internal static class ClientRoutes
{
    extension(Client client)
    {
        /// <summary>The policy for a request that is sent now: that of its route, else of the client.</summary>
        /// <param name="sender">The client that sends it; null when that is not known.</param>
        internal ResiliencePolicy PolicyFor(HttpRequestMessage request, HttpClient? sender) =>
            client.Policy is { HasRoutes: true } policy
                ? policy.For(request.Method, request.RequestUri, (sender ?? client.Deadline.Latest)?.BaseAddress)
                : client.Policy;
    }
}
