namespace HttpResilience;

/// <summary>The policy of a client's calls.</summary>
internal static class ClientRoutes
{
    extension(Client client)
    {
        /// <summary>The policy for a request that is sent now: that of its route, else of the client.</summary>
        /// <param name="sending">The client on it; null for none.</param>
        internal ResiliencePolicy PolicyFor(HttpRequestMessage request, SendingClient? sending) =>
            client.Policy is { HasRoutes: true } policy
                ? policy.For(request.Method, request.RequestUri, (sending?.HttpClient ?? client.Deadline.Latest)?.BaseAddress)
                : client.Policy;
    }
}
