using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests;

internal static class AttemptHandler
{
    /// <summary>Adds a handler inside the chain that runs an action before each attempt.</summary>
    internal static void AddAttemptHandler(this IHttpClientBuilder builder, Action<HttpRequestMessage> before) =>
        builder.AddHttpMessageHandler(() => new Handler(before));

    private sealed class Handler(Action<HttpRequestMessage> before) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            before(request);
            return base.SendAsync(request, cancellationToken);
        }

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            before(request);
            return base.Send(request, cancellationToken);
        }
    }
}
